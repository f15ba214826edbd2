-- Usage by UTC day, and what organizations were told of it: as in Postgres.

CREATE TABLE usage_days (
    organization_no INTEGER NOT NULL,
    day             INTEGER NOT NULL,
    kind            INTEGER NOT NULL,
    source          BLOB    NOT NULL,
    events          INTEGER NOT NULL,
    bytes           INTEGER NOT NULL,
    PRIMARY KEY (organization_no, day, kind, source)
) WITHOUT ROWID;

INSERT INTO usage_days (organization_no, day, kind, source, events, bytes)
SELECT l.organization_no, l.day, 1, x'00000000000000000000000000000000', l.events, 0
FROM ledger_days l
WHERE l.kind = 1;

CREATE TABLE usage_news (
    organization_no INTEGER NOT NULL,
    news            INTEGER NOT NULL,
    claimed_at      INTEGER NOT NULL,
    told_at         INTEGER,
    PRIMARY KEY (organization_no, news)
) WITHOUT ROWID;
