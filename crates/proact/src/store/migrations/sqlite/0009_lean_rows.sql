-- Rows that cost less to write. What they may hold stays the same.

-- For each list of three words or more that a check, a trigger or an index asks (`state IN (…)`), SQLite fills a table of its own, each time
-- a row is written: twelve for a job that is completed and its message. Compared one by one, words cost next to nothing.
--
-- Checks that say the same in other words leave the rows as they are, so the tables are not copied: the text of the schema is changed, as
-- https://www.sqlite.org/lang_altertable.html#otheralter describes, and read anew.
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql,
        '(state IN (''queued'', ''running'', ''succeeded'', ''failed'', ''cancelled'', ''timed_out''))',
        '(state = ''queued'' OR state = ''running'' OR state = ''succeeded'' OR state = ''failed'' OR state = ''cancelled'''
            || ' OR state = ''timed_out'')')
    WHERE type = 'table' AND name = 'job';
UPDATE sqlite_schema SET sql = replace(replace(sql,
        '(state IN (''waiting'', ''sending'', ''delivered'', ''cancelled'', ''expired'', ''suppressed'', ''failed'', ''unknown''))',
        '(state = ''waiting'' OR state = ''sending'' OR state = ''delivered'' OR state = ''cancelled'' OR state = ''expired'''
            || ' OR state = ''suppressed'' OR state = ''failed'' OR state = ''unknown'')'),
        '(priority IN (''urgent'', ''normal'', ''bulk''))',
        '(priority = ''urgent'' OR priority = ''normal'' OR priority = ''bulk'')')
    WHERE type = 'table' AND name = 'notification';
UPDATE sqlite_schema SET sql = replace(sql,
        '(outcome IN (''delivered'', ''retry'', ''failed'', ''unknown'', ''not_sent''))',
        '(outcome = ''delivered'' OR outcome = ''retry'' OR outcome = ''failed'' OR outcome = ''unknown'' OR outcome = ''not_sent'')')
    WHERE type = 'table' AND name = 'attempt';
PRAGMA writable_schema = RESET;

DROP TRIGGER notification_begins;
CREATE TRIGGER notification_begins BEFORE INSERT ON notification
    WHEN NEW.state <> 'waiting' AND NEW.state <> 'sending' AND NEW.state <> 'suppressed'
BEGIN
    SELECT RAISE(ABORT, 'a notification begins as waiting, sending or suppressed');
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
    SELECT RAISE(ABORT, 'a notification cannot go from its state to that one');
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
    SELECT RAISE(ABORT, 'a job cannot go from its state to that one');
END;

-- In these words, one of its states finds it; as a list, it was asked by none and lists of one state went through all rows.
DROP INDEX notification_ended;
CREATE INDEX notification_ended ON notification (state, seq)
    WHERE state = 'cancelled' OR state = 'expired' OR state = 'suppressed' OR state = 'failed' OR state = 'unknown';

-- Where a conversation's rows stand, block by block (4096 rows). An index that begins with the conversation has a leaf for each one that is
-- talked to: with a long log every row touched a page of its own there, which went into the write-ahead log whole.
DROP INDEX job_of_conversation;
CREATE INDEX job_of_conversation ON job (number >> 12, channel_id, conversation_id);
DROP INDEX notification_of_conversation;
CREATE INDEX notification_of_conversation ON notification (seq >> 12, channel_id, conversation_id);
