-- Since when an endpoint fails, when its organization was told, and when it was disabled.

ALTER TABLE endpoints ADD COLUMN disabled_at timestamptz;
ALTER TABLE lanes ADD COLUMN failing_since timestamptz;
ALTER TABLE lanes ADD COLUMN failing_told_at timestamptz;
