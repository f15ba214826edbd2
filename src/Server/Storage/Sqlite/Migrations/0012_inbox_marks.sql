-- Up to where an organization's events are settled: as in Postgres.
CREATE TABLE inbox_marks (
    organization_no INTEGER NOT NULL PRIMARY KEY,
    settled_before  BLOB    NOT NULL,
    lowered         INTEGER NOT NULL
);
