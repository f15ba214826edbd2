-- Counts how often a lane was set back, so that a cursor from before that, of another server perhaps, is not recorded.
ALTER TABLE lanes ADD COLUMN generation integer NOT NULL DEFAULT 0;
