-- Many endpoints per organization, each with its own way of being sent to.

ALTER TABLE endpoints ADD COLUMN description TEXT;
ALTER TABLE endpoints ADD COLUMN headers TEXT NOT NULL DEFAULT '{}';
ALTER TABLE endpoints ADD COLUMN rate_limit_per_second INTEGER;
ALTER TABLE endpoints ADD COLUMN max_in_flight INTEGER;
ALTER TABLE endpoints ADD COLUMN timeout_seconds INTEGER;
ALTER TABLE endpoints ADD COLUMN retry_schedule TEXT;
ALTER TABLE endpoints ADD COLUMN ordering TEXT NOT NULL DEFAULT 'none';
ALTER TABLE endpoints ADD COLUMN starts_after BLOB;
ALTER TABLE endpoints ADD COLUMN previous_secret TEXT;
ALTER TABLE endpoints ADD COLUMN previous_secret_until INTEGER;

-- A list of event types (JSON) is in force for events with an id greater than from_id, until the next row's. No row: every type.
CREATE TABLE endpoint_filters (
    organization_no INTEGER NOT NULL,
    endpoint_id     BLOB    NOT NULL,
    from_id         BLOB    NOT NULL,
    event_types     TEXT    NOT NULL,
    PRIMARY KEY (organization_no, endpoint_id, from_id)
) WITHOUT ROWID;
