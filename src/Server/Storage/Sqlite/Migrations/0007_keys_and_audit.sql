-- Keys with an expiry of their own, suspended organizations, and who changed what.

ALTER TABLE api_keys ADD COLUMN given_expires_at INTEGER; -- the expiry given at the making, which a rotation passes on
ALTER TABLE organizations ADD COLUMN suspended_at INTEGER;
ALTER TABLE organizations ADD COLUMN suspended_reason TEXT;

-- Only ever added to. organization_no 0: the server itself.
CREATE TABLE audit_entries (
    organization_no INTEGER NOT NULL,
    id              BLOB    NOT NULL,
    organization_id BLOB,
    at              INTEGER NOT NULL,
    actor           TEXT    NOT NULL,
    key_id          BLOB,
    key_prefix      TEXT,
    action          TEXT    NOT NULL,
    target          TEXT    NOT NULL,
    details         TEXT    NOT NULL,
    address         TEXT,
    request_id      TEXT    NOT NULL,
    PRIMARY KEY (organization_no, id)
) WITHOUT ROWID;

CREATE INDEX audit_entries_id ON audit_entries (id);
