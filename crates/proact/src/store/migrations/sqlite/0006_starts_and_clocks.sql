-- Jobs that programs start under a key of theirs, and retries that a clock which was set back must not hold up.

-- The key under which a program started it: the same again finds it. Its digest is of everything that was asked for.
ALTER TABLE job ADD COLUMN start_key TEXT;
CREATE UNIQUE INDEX job_start_key ON job (start_key) WHERE start_key IS NOT NULL;

-- What was tried and waits, by when it was tried last.
CREATE INDEX notification_tried ON notification (begun_at) WHERE state = 'waiting' AND begun > 0;
