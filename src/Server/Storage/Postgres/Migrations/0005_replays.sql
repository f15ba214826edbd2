-- Sending again by hand: a replay is a row of retries that owes one send more.

ALTER TABLE retries
    ADD COLUMN base    integer NOT NULL DEFAULT 0,     -- attempts at which the present round began: the schedule counts from there
    ADD COLUMN owed    integer NOT NULL DEFAULT 0,     -- sends asked for by hand that are not done yet
    ADD COLUMN claimed boolean NOT NULL DEFAULT false; -- a try is under way, or was when its server died: due_at is the end of its lease

CREATE INDEX outcomes_dead_letters_endpoint ON outcomes (organization_no, endpoint_id, event_id) WHERE status = 3;

-- Replays of many deliveries. The cursor moves in the transaction that queues what it passes.
CREATE TABLE replay_jobs (
    organization_no integer     NOT NULL,
    id              uuid        NOT NULL,
    endpoint_id     uuid,
    filter          text        NOT NULL,
    since           timestamptz,
    until           timestamptz,
    rate_per_second integer     NOT NULL,
    cursor          uuid,
    matched         bigint      NOT NULL,
    queued          bigint      NOT NULL DEFAULT 0,
    created_at      timestamptz NOT NULL,
    finished_at     timestamptz,
    PRIMARY KEY (organization_no, id)
);

CREATE INDEX replay_jobs_unfinished ON replay_jobs (organization_no, id) WHERE finished_at IS NULL;
