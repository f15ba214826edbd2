-- What a server of an older version, or an older journal, does late: it must neither be hidden below an inbox mark nor bring back what was
-- erased.

-- Raised by each claim of a server that knows inbox marks and late erasures; one of an older version leaves it. Such a server may have begun
-- its start before this step and claim after it: its late events would lower no mark, and no erasure would be looked up for them.
ALTER TABLE shards ADD COLUMN claims bigint NOT NULL DEFAULT 0;

CREATE FUNCTION refuse_older_claim() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The schema is of a newer version, with which this server cannot take the shard: start the newer program';
END
$$;

CREATE TRIGGER refuse_older_claim
    BEFORE UPDATE OF epoch ON shards
    FOR EACH ROW WHEN (NEW.epoch <> OLD.epoch AND NEW.claims = OLD.claims) EXECUTE FUNCTION refuse_older_claim();

-- The retries of an endpoint go with it, and their events may be pending again. A server of an older version lowers no mark for that. The
-- endpoint goes before its retries, in one transaction, so they are still there. The schema is that of the table, whatever the search_path.
CREATE FUNCTION lower_inbox_mark() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format(
        'INSERT INTO %1$I.inbox_marks AS m (organization_no, settled_before, lowered)
         SELECT $1, ''00000000-0000-0000-0000-000000000000''::uuid, 1
         WHERE EXISTS (SELECT 1 FROM %1$I.retries r WHERE r.organization_no = $1 AND r.endpoint_id = $2)
         ON CONFLICT (organization_no) DO UPDATE
         SET settled_before = least(m.settled_before, (SELECT r.event_id
                                                       FROM %1$I.retries r
                                                       WHERE r.organization_no = $1 AND r.endpoint_id = $2
                                                       ORDER BY r.event_id
                                                       LIMIT 1)),
             lowered = m.lowered + 1', TG_TABLE_SCHEMA) USING OLD.organization_no, OLD.id;
    RETURN NULL;
END
$$;

CREATE TRIGGER lower_inbox_mark AFTER DELETE ON endpoints FOR EACH ROW EXECUTE FUNCTION lower_inbox_mark();

-- A server of an older version that ends the erasure of an organization knows nothing of these tables. At the end of its transaction: a
-- mark's row is the last lock.
CREATE FUNCTION forget_organization() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('DELETE FROM %I.usage_days WHERE organization_no = $1', TG_TABLE_SCHEMA) USING OLD.organization_no;
    EXECUTE format('DELETE FROM %I.usage_news WHERE organization_no = $1', TG_TABLE_SCHEMA) USING OLD.organization_no;
    EXECUTE format('DELETE FROM %I.inbox_marks WHERE organization_no = $1', TG_TABLE_SCHEMA) USING OLD.organization_no;
    RETURN NULL;
END
$$;

CREATE CONSTRAINT TRIGGER forget_organization
    AFTER DELETE ON organizations
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION forget_organization();

-- What selected the events, with the value as a hash: for journals that hold unstored events from before the erasure. Empty: there was no
-- other journal, or the erasure was asked for at a server of an older version.
ALTER TABLE erasures ADD COLUMN late text NOT NULL DEFAULT '';
