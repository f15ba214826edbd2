-- As in Postgres, without the triggers: no server of an older version works on this file.
ALTER TABLE shards ADD COLUMN claims INTEGER NOT NULL DEFAULT 0;

-- What selected the events, with the value as a hash: for journals that hold unstored events from before the erasure.
ALTER TABLE erasures ADD COLUMN late TEXT NOT NULL DEFAULT '';
