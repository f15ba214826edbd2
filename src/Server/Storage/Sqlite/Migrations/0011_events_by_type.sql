-- A page of one type is read along its own events, however few of them there are among all others.
CREATE INDEX events_type ON events (organization_no, type, id);
