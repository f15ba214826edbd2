-- Retention, erasure, and the ledger that accounts for every accepted event.

-- What is left of an erased event: it must neither come back from a journal nor lose its dedup id within 24 h. The hashes go after that.
CREATE TABLE erased_events (
    organization_no integer NOT NULL,
    id              uuid    NOT NULL,
    dedup_hash      bytea,
    payload_hash    bigint  NOT NULL,
    in_journal      boolean NOT NULL,  -- a journal may hold it until its segments are written anew
    PRIMARY KEY (organization_no, id)
);

CREATE INDEX erased_events_dedup ON erased_events (organization_no, dedup_hash, id) WHERE dedup_hash IS NOT NULL;
CREATE INDEX erased_events_journal ON erased_events (organization_no, id) WHERE in_journal;

-- Every event of the organization up to that id has gone by retention.
CREATE TABLE expirations (
    organization_no integer NOT NULL PRIMARY KEY,
    expired_through uuid    NOT NULL
);

-- Erasures that were asked for. What selects the events (it may be personal) goes when the work is done. kind: 1 events, 2 the organization.
CREATE TABLE erasures (
    organization_no integer     NOT NULL,
    id              uuid        NOT NULL,
    kind            smallint    NOT NULL,
    selection       text        NOT NULL,
    dry_run         boolean     NOT NULL,
    through         uuid        NOT NULL,
    cursor          uuid        NOT NULL,
    matched         bigint      NOT NULL DEFAULT 0,
    erased          bigint      NOT NULL DEFAULT 0,
    ids             text        NOT NULL DEFAULT '',
    journal_erased  boolean     NOT NULL DEFAULT false,
    requested_at    timestamptz NOT NULL,
    finished_at     timestamptz,
    PRIMARY KEY (organization_no, id)
);

CREATE INDEX erasures_unfinished ON erasures (organization_no, id) WHERE finished_at IS NULL;

-- Sums by UTC day of acceptance (days since 1970-01-01). kind: 1 accepted (written with the events themselves), 2 expired, 3 erased. A row for
-- each kind, so that whoever removes events never waits for whoever stores them.
CREATE TABLE ledger_days (
    organization_no integer  NOT NULL,
    day             integer  NOT NULL,
    kind            smallint NOT NULL,
    events          bigint   NOT NULL,
    PRIMARY KEY (organization_no, day, kind)
) WITH (fillfactor = 50);

INSERT INTO ledger_days (organization_no, day, kind, events)
SELECT a.organization_no, (('x' || left(replace(a.id::text, '-', ''), 12))::bit(48)::bigint / 86400000)::integer, 1, count(*)
FROM (SELECT organization_no, id FROM events UNION ALL SELECT organization_no, id FROM quarantine) a
GROUP BY 1, 2;
