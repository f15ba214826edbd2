-- Usage by UTC day (days since 1970-01-01). kind: 1 accepted (written with the events themselves), 2 of those the server's own, 3 delivered,
-- 4 acknowledged, 11 and up refused, by reason. source: the journal through which events were accepted, so that each server knows its own
-- from others' and none waits for another; all zeros for the other kinds. Rows are only added to.
CREATE TABLE usage_days (
    organization_no integer  NOT NULL,
    day             integer  NOT NULL,
    kind            smallint NOT NULL,
    source          uuid     NOT NULL,
    events          bigint   NOT NULL,
    bytes           bigint   NOT NULL,
    PRIMARY KEY (organization_no, day, kind, source)
) WITH (fillfactor = 50);

-- What was counted up to now; the bytes were not.
INSERT INTO usage_days (organization_no, day, kind, source, events, bytes)
SELECT l.organization_no, l.day, 1, '00000000-0000-0000-0000-000000000000'::uuid, l.events, 0
FROM ledger_days l
WHERE l.kind = 1;

-- What organizations were told of their usage last. claimed_at: when a server began to tell it.
CREATE TABLE usage_news (
    organization_no integer     NOT NULL,
    news            smallint    NOT NULL,
    claimed_at      timestamptz NOT NULL,
    told_at         timestamptz,
    PRIMARY KEY (organization_no, news)
);
