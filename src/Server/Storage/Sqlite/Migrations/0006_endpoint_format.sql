-- What the bodies of an endpoint's deliveries look like: standard or cloudevents.

ALTER TABLE endpoints ADD COLUMN format TEXT NOT NULL DEFAULT 'standard';
