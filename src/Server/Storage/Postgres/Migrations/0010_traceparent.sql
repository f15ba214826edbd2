-- The trace that an event belongs to (W3C Trace Context): trace id, parent id and flags, 25 bytes; NULL = its producer said none.

ALTER TABLE events ADD COLUMN traceparent bytea;
