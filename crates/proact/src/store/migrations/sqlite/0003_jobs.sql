-- Jobs with a life of their own: a written state machine, a deadline and a heartbeat, tokens of workers, progress.

ALTER TABLE job ADD COLUMN title TEXT;
-- Why it failed, in the words of who reported it.
ALTER TABLE job ADD COLUMN reason TEXT;
ALTER TABLE job ADD COLUMN deadline_at INTEGER;
-- How often its worker says that it lives, in milliseconds; and when it did last.
ALTER TABLE job ADD COLUMN heartbeat INTEGER;
ALTER TABLE job ADD COLUMN heard_at INTEGER;
-- When its conversation was told that its worker is silent.
ALTER TABLE job ADD COLUMN silent_at INTEGER;
-- When the clock has something to say about it: the earlier of its deadline and the end of the wait for its worker.
ALTER TABLE job ADD COLUMN watch_at INTEGER;
-- Its progress is kept and not shown.
ALTER TABLE job ADD COLUMN quiet INTEGER NOT NULL DEFAULT 0 CHECK (quiet IN (0, 1));
-- What its worker reported as its end: the same again gets the same answer.
ALTER TABLE job ADD COLUMN report BLOB;
CREATE INDEX job_watch ON job (watch_at) WHERE watch_at IS NOT NULL;

-- The state machine, as `JobState::may_become` has it.
CREATE TRIGGER job_begins BEFORE INSERT ON job WHEN NEW.state NOT IN ('queued', 'running')
BEGIN
    SELECT RAISE(ABORT, 'a job begins as queued or running');
END;
CREATE TRIGGER job_goes_on BEFORE UPDATE OF state ON job
    WHEN NOT (
        (OLD.state = 'queued' AND NEW.state IN ('running', 'succeeded', 'failed', 'cancelled', 'timed_out'))
        OR (OLD.state = 'running' AND NEW.state IN ('succeeded', 'failed', 'cancelled', 'timed_out'))
    )
BEGIN
    SELECT RAISE(ABORT, 'a job cannot go from its state to that one');
END;

-- What a worker may prove itself with: the SHA-256 of each token that was given out for a job.
CREATE TABLE job_token (
    job    INTEGER NOT NULL REFERENCES job (number) ON DELETE CASCADE,
    digest BLOB    NOT NULL,
    PRIMARY KEY (job, digest)
) STRICT, WITHOUT ROWID;

-- How far a job is, and what its conversation sees of that. Only jobs that reported progress have a row.
CREATE TABLE job_progress (
    job        INTEGER PRIMARY KEY REFERENCES job (number) ON DELETE CASCADE,
    percent    INTEGER CHECK (percent BETWEEN 0 AND 100),
    line       TEXT,
    updated_at INTEGER NOT NULL,
    way        TEXT    NOT NULL DEFAULT 'edits' CHECK (way IN ('edits', 'milestones', 'off')),
    -- The channel's id of the message that shows it, and what that shows; NULL: not known.
    message_id TEXT,
    shown      TEXT,
    -- The last milestone that was told, in quarters.
    told       INTEGER NOT NULL DEFAULT 0,
    -- The notification that sends or edits the message, the last one if none is open; and when the next one may go.
    live       BLOB,
    next_at    INTEGER NOT NULL DEFAULT 0
) STRICT;
