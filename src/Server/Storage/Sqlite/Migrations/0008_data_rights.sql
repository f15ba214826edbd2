-- Retention, erasure, and the ledger that accounts for every accepted event: as in Postgres.

CREATE TABLE erased_events (
    organization_no INTEGER NOT NULL,
    id              BLOB    NOT NULL,
    dedup_hash      BLOB,
    payload_hash    INTEGER NOT NULL,
    in_journal      INTEGER NOT NULL,
    PRIMARY KEY (organization_no, id)
) WITHOUT ROWID;

CREATE INDEX erased_events_dedup ON erased_events (organization_no, dedup_hash, id) WHERE dedup_hash IS NOT NULL;
CREATE INDEX erased_events_journal ON erased_events (organization_no, id) WHERE in_journal;

CREATE TABLE expirations (
    organization_no INTEGER NOT NULL PRIMARY KEY,
    expired_through BLOB    NOT NULL
);

CREATE TABLE erasures (
    organization_no INTEGER NOT NULL,
    id              BLOB    NOT NULL,
    kind            INTEGER NOT NULL,
    selection       TEXT    NOT NULL,
    dry_run         INTEGER NOT NULL,
    through         BLOB    NOT NULL,
    cursor          BLOB    NOT NULL,
    matched         INTEGER NOT NULL DEFAULT 0,
    erased          INTEGER NOT NULL DEFAULT 0,
    ids             TEXT    NOT NULL DEFAULT '',
    journal_erased  INTEGER NOT NULL DEFAULT 0,
    requested_at    INTEGER NOT NULL,
    finished_at     INTEGER,
    PRIMARY KEY (organization_no, id)
) WITHOUT ROWID;

CREATE INDEX erasures_unfinished ON erasures (organization_no, id) WHERE finished_at IS NULL;

CREATE TABLE ledger_days (
    organization_no INTEGER NOT NULL,
    day             INTEGER NOT NULL,
    kind            INTEGER NOT NULL,
    events          INTEGER NOT NULL,
    PRIMARY KEY (organization_no, day, kind)
) WITHOUT ROWID;

-- An id begins with 48 bits of milliseconds; SQLite has no function that reads hexadecimal digits.
INSERT INTO ledger_days (organization_no, day, kind, events)
SELECT a.organization_no,
       (instr('123456789ABCDEF', substr(a.h, 1, 1)) * 17592186044416 + instr('123456789ABCDEF', substr(a.h, 2, 1)) * 1099511627776
        + instr('123456789ABCDEF', substr(a.h, 3, 1)) * 68719476736 + instr('123456789ABCDEF', substr(a.h, 4, 1)) * 4294967296
        + instr('123456789ABCDEF', substr(a.h, 5, 1)) * 268435456 + instr('123456789ABCDEF', substr(a.h, 6, 1)) * 16777216
        + instr('123456789ABCDEF', substr(a.h, 7, 1)) * 1048576 + instr('123456789ABCDEF', substr(a.h, 8, 1)) * 65536
        + instr('123456789ABCDEF', substr(a.h, 9, 1)) * 4096 + instr('123456789ABCDEF', substr(a.h, 10, 1)) * 256
        + instr('123456789ABCDEF', substr(a.h, 11, 1)) * 16 + instr('123456789ABCDEF', substr(a.h, 12, 1)) * 1) / 86400000,
       1, count(*)
FROM (SELECT organization_no, hex(substr(id, 1, 6)) AS h FROM events
      UNION ALL
      SELECT organization_no, hex(substr(id, 1, 6)) FROM quarantine) a
GROUP BY 1, 2;
