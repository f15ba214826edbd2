-- Tables of the event server. Every primary key begins with organization_no, except that of shards.

CREATE TABLE organizations (
    organization_no       integer     NOT NULL PRIMARY KEY,
    id                    uuid        NOT NULL UNIQUE,
    name                  text        NOT NULL,
    tier                  text        NOT NULL,
    rate_limit_per_minute integer,
    route                 text        NOT NULL UNIQUE,
    created_at            timestamptz NOT NULL,
    updated_at            timestamptz NOT NULL
);

CREATE TABLE api_keys (
    organization_no integer     NOT NULL,
    id              uuid        NOT NULL UNIQUE,
    hash            bytea       NOT NULL UNIQUE,
    prefix          text        NOT NULL,
    name            text        NOT NULL,
    scopes          text        NOT NULL,
    created_at      timestamptz NOT NULL,
    expires_at      timestamptz,
    last_used_at    timestamptz,
    PRIMARY KEY (organization_no, id)
);

-- A checkpoint for each journal that has written the shard; a claim raises the epoch of all. Updated by every batch: room on the page keeps
-- the update off the indexes.
CREATE TABLE shards (
    shard           integer     NOT NULL,
    journal_id      uuid        NOT NULL,
    epoch           bigint      NOT NULL,
    stored_through  uuid,
    stored_sequence bigint      NOT NULL DEFAULT 0,
    updated_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shard, journal_id)
) WITH (fillfactor = 50);

-- A partition is one UTC day. There is no default partition: rows in it would stop the day's own partition from being made.
CREATE TABLE events (
    organization_no integer NOT NULL,
    id              uuid    NOT NULL,
    type            text    NOT NULL,
    dedup_id        text,
    ordering_key    text,
    payload_hash    bigint  NOT NULL,
    payload         bytea   NOT NULL,
    PRIMARY KEY (organization_no, id)
) PARTITION BY RANGE (id);

CREATE INDEX events_dedup_id ON events (organization_no, dedup_id) INCLUDE (id, payload_hash) WHERE dedup_id IS NOT NULL;

-- For people who read the database with SQL.
CREATE VIEW readable_events AS
SELECT o.id                                                                                                       AS organization_id,
       e.id,
       to_timestamp(('x' || left(replace(e.id::text, '-', ''), 12))::bit(48)::bigint / 1000.0)                    AS accepted_at,
       e.type,
       e.dedup_id,
       e.ordering_key,
       convert_from(e.payload, 'UTF8')                                                                            AS payload
FROM events e
LEFT JOIN organizations o ON o.organization_no = e.organization_no;

CREATE TABLE acks (
    organization_no integer     NOT NULL,
    event_id        uuid        NOT NULL,
    at              timestamptz NOT NULL,
    PRIMARY KEY (organization_no, event_id)
);

CREATE TABLE endpoints (
    organization_no integer     NOT NULL,
    id              uuid        NOT NULL,
    is_default      boolean     NOT NULL,
    url             text        NOT NULL,
    secret          text        NOT NULL,
    enabled         boolean     NOT NULL,
    disabled_reason text,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    PRIMARY KEY (organization_no, id)
);

CREATE UNIQUE INDEX endpoints_default ON endpoints (organization_no) WHERE is_default;

-- Apart from endpoints: hot and narrow.
CREATE TABLE lanes (
    organization_no   integer NOT NULL,
    endpoint_id       uuid    NOT NULL,
    delivered_through uuid    NOT NULL,
    PRIMARY KEY (organization_no, endpoint_id)
) WITH (fillfactor = 50);

-- One row when final: status 1 delivered, 3 dead letter. It carries its last try, so success on the first try is one row.
CREATE TABLE outcomes (
    organization_no integer     NOT NULL,
    event_id        uuid        NOT NULL,
    endpoint_id     uuid        NOT NULL,
    status          smallint    NOT NULL,
    at              timestamptz NOT NULL,
    attempts        integer     NOT NULL,
    response_status integer,
    latency_ms      integer,
    error           text,
    response_body   text,
    PRIMARY KEY (organization_no, event_id, endpoint_id)
);

CREATE INDEX outcomes_dead_letters ON outcomes (organization_no, event_id) WHERE status = 3;

-- A row exists only while a retry waits; it repeats what the inbox shows of the latest failure.
CREATE TABLE retries (
    organization_no integer     NOT NULL,
    endpoint_id     uuid        NOT NULL,
    event_id        uuid        NOT NULL,
    due_at          timestamptz NOT NULL,
    attempts        integer     NOT NULL,
    at              timestamptz NOT NULL,
    response_status integer,
    latency_ms      integer,
    error           text,
    PRIMARY KEY (organization_no, endpoint_id, event_id)
);

CREATE INDEX retries_due ON retries (due_at);
CREATE INDEX retries_lane ON retries (organization_no, endpoint_id, due_at);
CREATE INDEX retries_event ON retries (organization_no, event_id);

-- Failed tries that were not the last.
CREATE TABLE attempts (
    organization_no integer     NOT NULL,
    event_id        uuid        NOT NULL,
    endpoint_id     uuid        NOT NULL,
    number          integer     NOT NULL,
    at              timestamptz NOT NULL,
    response_status integer,
    latency_ms      integer     NOT NULL,
    error           text,
    response_body   text,
    PRIMARY KEY (organization_no, event_id, endpoint_id, number)
);

-- Rows that the database refused, as bytes, with the reason.
CREATE TABLE quarantine (
    organization_no integer     NOT NULL,
    id              uuid        NOT NULL,
    shard           integer     NOT NULL,
    event           bytea       NOT NULL,
    reason          text        NOT NULL,
    at              timestamptz NOT NULL,
    PRIMARY KEY (organization_no, id)
);

-- One row that the health check updates.
CREATE TABLE probes (
    organization_no integer     NOT NULL PRIMARY KEY,
    at              timestamptz NOT NULL
);

INSERT INTO probes (organization_no, at) VALUES (0, now());
