-- A statement that may be broken off with RAISE(ABORT) keeps a copy of each page that it changes, to put back what it has changed by then. What
-- these triggers ask is asked before anything is written, of each row: with FAIL there is nothing to put back, and no copy. Statements that
-- change more than one row stand within a savepoint of their command.
DROP TRIGGER notification_begins;
CREATE TRIGGER notification_begins BEFORE INSERT ON notification
    WHEN NEW.state <> 'waiting' AND NEW.state <> 'sending' AND NEW.state <> 'suppressed'
BEGIN
    SELECT RAISE(FAIL, 'a notification begins as waiting, sending or suppressed');
END;
DROP TRIGGER notification_goes_on;
CREATE TRIGGER notification_goes_on BEFORE UPDATE OF state ON notification
    WHEN NOT (
        (OLD.state = 'sending' AND (NEW.state = 'delivered' OR NEW.state = 'waiting' OR NEW.state = 'unknown' OR NEW.state = 'failed'
            OR NEW.state = 'suppressed' OR NEW.state = 'cancelled' OR NEW.state = 'expired'))
        OR (OLD.state = 'waiting' AND (NEW.state = 'sending' OR NEW.state = 'suppressed' OR NEW.state = 'cancelled'
            OR NEW.state = 'expired' OR NEW.state = 'failed'))
    )
BEGIN
    SELECT RAISE(FAIL, 'a notification cannot go from its state to that one');
END;
DROP TRIGGER job_begins;
CREATE TRIGGER job_begins BEFORE INSERT ON job WHEN NEW.state <> 'queued' AND NEW.state <> 'running'
BEGIN
    SELECT RAISE(FAIL, 'a job begins as queued or running');
END;
DROP TRIGGER job_goes_on;
CREATE TRIGGER job_goes_on BEFORE UPDATE OF state ON job
    WHEN NOT (
        (OLD.state = 'running' AND (NEW.state = 'succeeded' OR NEW.state = 'failed' OR NEW.state = 'cancelled'
            OR NEW.state = 'timed_out'))
        OR (OLD.state = 'queued' AND (NEW.state = 'running' OR NEW.state = 'succeeded' OR NEW.state = 'failed'
            OR NEW.state = 'cancelled' OR NEW.state = 'timed_out'))
    )
BEGIN
    SELECT RAISE(FAIL, 'a job cannot go from its state to that one');
END;
