-- Which erasure an event fell to, and the cursor at the end of its chunk: other servers read each erasure on from where they were. Without both:
-- erased before that was noted.
ALTER TABLE erased_events ADD COLUMN erasure uuid, ADD COLUMN chunk_end uuid;

CREATE INDEX erased_events_chunks ON erased_events (organization_no, erasure, chunk_end) WHERE erasure IS NOT NULL;
