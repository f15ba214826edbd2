-- Tables of the event server: the same as in Postgres, without partitions. Ids are 16-byte big-endian BLOBs (byte order is id order), times are Unix
-- milliseconds. Narrow tables are WITHOUT ROWID; events are not, because wide rows make a key-ordered tree slow to append to.

CREATE TABLE organizations (
    organization_no       INTEGER NOT NULL PRIMARY KEY,
    id                    BLOB    NOT NULL UNIQUE,
    name                  TEXT    NOT NULL,
    tier                  TEXT    NOT NULL,
    rate_limit_per_minute INTEGER,
    route                 TEXT    NOT NULL UNIQUE,
    created_at            INTEGER NOT NULL,
    updated_at            INTEGER NOT NULL
);

CREATE TABLE api_keys (
    organization_no INTEGER NOT NULL,
    id              BLOB    NOT NULL UNIQUE,
    hash            BLOB    NOT NULL UNIQUE,
    prefix          TEXT    NOT NULL,
    name            TEXT    NOT NULL,
    scopes          TEXT    NOT NULL,
    created_at      INTEGER NOT NULL,
    expires_at      INTEGER,
    last_used_at    INTEGER,
    PRIMARY KEY (organization_no, id)
) WITHOUT ROWID;

CREATE TABLE shards (
    shard           INTEGER NOT NULL,
    journal_id      BLOB    NOT NULL,
    epoch           INTEGER NOT NULL,
    stored_through  BLOB,
    stored_sequence INTEGER NOT NULL DEFAULT 0,
    updated_at      INTEGER NOT NULL,
    PRIMARY KEY (shard, journal_id)
);

CREATE TABLE events (
    organization_no INTEGER NOT NULL,
    id              BLOB    NOT NULL,
    type            TEXT    NOT NULL,
    dedup_id        TEXT,
    ordering_key    TEXT,
    payload_hash    INTEGER NOT NULL,
    payload         BLOB    NOT NULL,
    PRIMARY KEY (organization_no, id)
);

CREATE INDEX events_dedup_id ON events (organization_no, dedup_id, id) WHERE dedup_id IS NOT NULL;

-- For people who read the database with SQL.
CREATE VIEW readable_events AS
SELECT lower(hex(o.id)) AS organization_id, lower(hex(e.id)) AS id, e.type, e.dedup_id, e.ordering_key, CAST(e.payload AS TEXT) AS payload
FROM events e
LEFT JOIN organizations o ON o.organization_no = e.organization_no;

CREATE TABLE acks (
    organization_no INTEGER NOT NULL,
    event_id        BLOB    NOT NULL,
    at              INTEGER NOT NULL,
    PRIMARY KEY (organization_no, event_id)
) WITHOUT ROWID;

CREATE TABLE endpoints (
    organization_no INTEGER NOT NULL,
    id              BLOB    NOT NULL,
    is_default      INTEGER NOT NULL,
    url             TEXT    NOT NULL,
    secret          TEXT    NOT NULL,
    enabled         INTEGER NOT NULL,
    disabled_reason TEXT,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    PRIMARY KEY (organization_no, id)
) WITHOUT ROWID;

CREATE UNIQUE INDEX endpoints_default ON endpoints (organization_no) WHERE is_default;

CREATE TABLE lanes (
    organization_no   INTEGER NOT NULL,
    endpoint_id       BLOB    NOT NULL,
    delivered_through BLOB    NOT NULL,
    PRIMARY KEY (organization_no, endpoint_id)
) WITHOUT ROWID;

-- One row when final: status 1 delivered, 3 dead letter. It carries its last try, so success on the first try is one row.
CREATE TABLE outcomes (
    organization_no INTEGER NOT NULL,
    event_id        BLOB    NOT NULL,
    endpoint_id     BLOB    NOT NULL,
    status          INTEGER NOT NULL,
    at              INTEGER NOT NULL,
    attempts        INTEGER NOT NULL,
    response_status INTEGER,
    latency_ms      INTEGER,
    error           TEXT,
    response_body   TEXT,
    PRIMARY KEY (organization_no, event_id, endpoint_id)
) WITHOUT ROWID;

CREATE INDEX outcomes_dead_letters ON outcomes (organization_no, event_id) WHERE status = 3;

-- A row exists only while a retry waits; it repeats what the inbox shows of the latest failure.
CREATE TABLE retries (
    organization_no INTEGER NOT NULL,
    endpoint_id     BLOB    NOT NULL,
    event_id        BLOB    NOT NULL,
    due_at          INTEGER NOT NULL,
    attempts        INTEGER NOT NULL,
    at              INTEGER NOT NULL,
    response_status INTEGER,
    latency_ms      INTEGER,
    error           TEXT,
    PRIMARY KEY (organization_no, endpoint_id, event_id)
) WITHOUT ROWID;

CREATE INDEX retries_due ON retries (due_at);
CREATE INDEX retries_lane ON retries (organization_no, endpoint_id, due_at);
CREATE INDEX retries_event ON retries (organization_no, event_id);

-- Failed tries that were not the last.
CREATE TABLE attempts (
    organization_no INTEGER NOT NULL,
    event_id        BLOB    NOT NULL,
    endpoint_id     BLOB    NOT NULL,
    number          INTEGER NOT NULL,
    at              INTEGER NOT NULL,
    response_status INTEGER,
    latency_ms      INTEGER NOT NULL,
    error           TEXT,
    response_body   TEXT,
    PRIMARY KEY (organization_no, event_id, endpoint_id, number)
) WITHOUT ROWID;

-- Rows that the database refused, as bytes, with the reason.
CREATE TABLE quarantine (
    organization_no INTEGER NOT NULL,
    id              BLOB    NOT NULL,
    shard           INTEGER NOT NULL,
    event           BLOB    NOT NULL,
    reason          TEXT    NOT NULL,
    at              INTEGER NOT NULL,
    PRIMARY KEY (organization_no, id)
);

-- One row that the health check updates.
CREATE TABLE probes (
    organization_no INTEGER NOT NULL PRIMARY KEY,
    at              INTEGER NOT NULL
);

INSERT INTO probes (organization_no, at) VALUES (0, 0);
