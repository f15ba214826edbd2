-- Keys with an expiry of their own, suspended organizations, who changed what, and telling other servers of changes.

ALTER TABLE api_keys ADD COLUMN given_expires_at timestamptz; -- the expiry given at the making, which a rotation passes on
ALTER TABLE organizations ADD COLUMN suspended_at timestamptz, ADD COLUMN suspended_reason text;

-- Only ever added to. organization_no 0: the server itself.
CREATE TABLE audit_entries (
    organization_no integer     NOT NULL,
    id              uuid        NOT NULL,
    organization_id uuid,
    at              timestamptz NOT NULL,
    actor           text        NOT NULL,
    key_id          uuid,
    key_prefix      text,
    action          text        NOT NULL,
    target          text        NOT NULL,
    details         text        NOT NULL,
    address         text,
    request_id      text        NOT NULL,
    PRIMARY KEY (organization_no, id)
);

CREATE INDEX audit_entries_id ON audit_entries (id);

-- At which version an organization, its keys or its endpoints were last changed; row 0 counts the versions.
CREATE TABLE account_changes (
    organization_no integer NOT NULL PRIMARY KEY,
    version         bigint  NOT NULL
) WITH (fillfactor = 50);

CREATE INDEX account_changes_version ON account_changes (version);

INSERT INTO account_changes (organization_no, version) VALUES (0, 0);

-- Runs at the end of each transaction that changes one of these tables, whoever does it: row 0 is its last lock, so versions become visible in
-- their order. The schema is that of the table, whatever the search_path.
CREATE FUNCTION note_account_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    no integer := CASE WHEN TG_OP = 'DELETE' THEN OLD.organization_no ELSE NEW.organization_no END;
BEGIN
    EXECUTE format(
        'WITH counted AS (UPDATE %1$I.account_changes SET version = version + 1 WHERE organization_no = 0 RETURNING version)
         INSERT INTO %1$I.account_changes (organization_no, version) SELECT $1, version FROM counted
         ON CONFLICT (organization_no) DO UPDATE SET version = excluded.version', TG_TABLE_SCHEMA) USING no;
    PERFORM pg_notify('zapier_triggers_accounts', TG_TABLE_SCHEMA);
    RETURN NULL;
END
$$;

CREATE CONSTRAINT TRIGGER note_account_change
    AFTER INSERT OR DELETE OR UPDATE OF name, tier, rate_limit_per_minute, suspended_at, suspended_reason ON organizations
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note_account_change();

-- Not of last_used_at, which is written all the time.
CREATE CONSTRAINT TRIGGER note_account_change
    AFTER INSERT OR DELETE OR UPDATE OF name, scopes, expires_at ON api_keys
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note_account_change();

CREATE CONSTRAINT TRIGGER note_account_change
    AFTER INSERT OR DELETE OR UPDATE ON endpoints
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note_account_change();
