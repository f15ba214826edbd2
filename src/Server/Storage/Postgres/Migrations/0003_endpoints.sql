-- Many endpoints per organization, each with its own way of being sent to.

ALTER TABLE endpoints
    ADD COLUMN description           text,
    ADD COLUMN headers               text    NOT NULL DEFAULT '{}',
    ADD COLUMN rate_limit_per_second integer,
    ADD COLUMN max_in_flight         integer,
    ADD COLUMN timeout_seconds       integer,
    ADD COLUMN retry_schedule        text,
    ADD COLUMN ordering              text    NOT NULL DEFAULT 'none',
    ADD COLUMN starts_after          uuid,
    ADD COLUMN previous_secret       text,
    ADD COLUMN previous_secret_until timestamptz;

-- A list of event types (JSON) is in force for events with an id greater than from_id, until the next row's. No row: every type.
CREATE TABLE endpoint_filters (
    organization_no integer NOT NULL,
    endpoint_id     uuid    NOT NULL,
    from_id         uuid    NOT NULL,
    event_types     text    NOT NULL,
    PRIMARY KEY (organization_no, endpoint_id, from_id)
);
