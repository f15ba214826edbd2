-- Sending again by hand: a replay is a row of retries that owes one send more.

ALTER TABLE retries ADD COLUMN base    INTEGER NOT NULL DEFAULT 0; -- attempts at which the present round began: the schedule counts from there
ALTER TABLE retries ADD COLUMN owed    INTEGER NOT NULL DEFAULT 0; -- sends asked for by hand that are not done yet
ALTER TABLE retries ADD COLUMN claimed INTEGER NOT NULL DEFAULT 0; -- a try is under way, or was when its server died: due_at is the end of its lease

CREATE INDEX outcomes_dead_letters_endpoint ON outcomes (organization_no, endpoint_id, event_id) WHERE status = 3;

-- Replays of many deliveries. The cursor moves in the transaction that queues what it passes.
CREATE TABLE replay_jobs (
    organization_no INTEGER NOT NULL,
    id              BLOB    NOT NULL,
    endpoint_id     BLOB,
    filter          TEXT    NOT NULL,
    since           INTEGER,
    until           INTEGER,
    rate_per_second INTEGER NOT NULL,
    cursor          BLOB,
    matched         INTEGER NOT NULL,
    queued          INTEGER NOT NULL DEFAULT 0,
    created_at      INTEGER NOT NULL,
    finished_at     INTEGER,
    PRIMARY KEY (organization_no, id)
) WITHOUT ROWID;

CREATE INDEX replay_jobs_unfinished ON replay_jobs (organization_no, id) WHERE finished_at IS NULL;
