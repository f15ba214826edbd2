-- Up to where an organization's events are settled: none with an id below settled_before is pending. Derived, so no row (or a zero) means that nothing
-- is known. lowered counts what has made the mark wrong since, so that an advance which began before that is not written.
CREATE TABLE inbox_marks (
    organization_no integer NOT NULL PRIMARY KEY,
    settled_before  uuid    NOT NULL,
    lowered         bigint  NOT NULL
) WITH (fillfactor = 50);
