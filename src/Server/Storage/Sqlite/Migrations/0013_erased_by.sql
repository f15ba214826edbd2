-- Which erasure an event fell to, and the cursor at the end of its chunk: as in Postgres. No other server reads them here, so there is no index.
ALTER TABLE erased_events ADD COLUMN erasure BLOB;
ALTER TABLE erased_events ADD COLUMN chunk_end BLOB;
