-- The delivery engine: lanes by their own index, attempts that cost nothing when the first one delivers, gates, and tallies.

-- Where conversations are reached: what a breaker, a pause of a channel and a share of the slots are about. 0 is "not known".
CREATE TABLE target (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    channel_id  TEXT NOT NULL,
    service_url TEXT NOT NULL,
    UNIQUE (channel_id, service_url)
) STRICT;
INSERT INTO target (channel_id, service_url)
    SELECT DISTINCT channel_id, coalesce(reference ->> '$.serviceUrl', '') FROM conversation;

ALTER TABLE conversation ADD COLUMN target INTEGER NOT NULL DEFAULT 0;
UPDATE conversation SET target = (SELECT id FROM target
    WHERE target.channel_id = conversation.channel_id
        AND target.service_url = coalesce(conversation.reference ->> '$.serviceUrl', ''));
-- Since when, and why, the channel says that the conversation cannot be written to. An activity that comes from it takes this back.
ALTER TABLE conversation ADD COLUMN dead_at INTEGER;
ALTER TABLE conversation ADD COLUMN dead_reason TEXT;

-- What an operator holds back. '' stands for every channel, or every conversation of one.
CREATE TABLE pause (
    channel_id      TEXT    NOT NULL,
    conversation_id TEXT    NOT NULL,
    reason          TEXT,
    at              INTEGER NOT NULL,
    PRIMARY KEY (channel_id, conversation_id),
    CHECK (channel_id <> '' OR conversation_id = '')
) STRICT, WITHOUT ROWID;

-- A job remembers the command that started it, so that a turn that is run again finds its job without a record elsewhere.
ALTER TABLE job ADD COLUMN turn BLOB;
ALTER TABLE job ADD COLUMN ordinal INTEGER;
ALTER TABLE job ADD COLUMN digest BLOB;

-- How many there are of something, kept in the commits that change it.
CREATE TABLE tally (
    name  TEXT    NOT NULL PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE attempt_1 AS SELECT * FROM attempt;
DROP TABLE attempt;
ALTER TABLE notification RENAME TO notification_1;

-- The outbox and its history. `seq` is the order of acceptance.
CREATE TABLE notification (
    seq                INTEGER PRIMARY KEY AUTOINCREMENT,
    id                 BLOB    NOT NULL UNIQUE,
    partition          INTEGER NOT NULL,
    channel_id         TEXT    NOT NULL,
    conversation_id    TEXT    NOT NULL,
    target             INTEGER NOT NULL,
    state              TEXT    NOT NULL
        CHECK (state IN ('waiting', 'sending', 'delivered', 'cancelled', 'expired', 'suppressed', 'failed', 'unknown')),
    reason             TEXT,
    priority           TEXT    NOT NULL CHECK (priority IN ('urgent', 'normal', 'bulk')),
    policy             TEXT    NOT NULL CHECK (policy IN ('at_least_once', 'at_most_once')),
    moment             TEXT    NOT NULL CHECK (moment IN ('after_turn', 'interject')),
    cause              TEXT    NOT NULL,
    -- What to send: an activity, or a template's name with its data.
    activity           TEXT,
    template           TEXT,
    data               TEXT,
    collapse_key       TEXT,
    idempotency_key    TEXT,
    idempotency_digest BLOB,
    replay_of          BLOB,
    -- The id that a channel which takes ids is given, where it is not the notification's own: a replay of an unknown one.
    sends_as           BLOB,
    created_at         INTEGER NOT NULL,
    not_before         INTEGER,
    expires_at         INTEGER,
    -- The place in its lane: the time from which it could go.
    ready_at           INTEGER NOT NULL,
    -- Not to be tried before; 0 is at once.
    due_at             INTEGER NOT NULL,
    -- Waiting ends here: its own expiry or the age limit, whichever comes first.
    ends_at            INTEGER NOT NULL,
    settled_at         INTEGER,
    -- Attempts begun, and those of them that count as tries.
    begun              INTEGER NOT NULL DEFAULT 0,
    tries              INTEGER NOT NULL DEFAULT 0,
    -- Its last attempt did not succeed and another will follow: its class waits for it.
    retrying           INTEGER NOT NULL DEFAULT 0 CHECK (retrying IN (0, 1)),
    -- The last attempt: when it was begun, and the status of one that delivered.
    begun_at           INTEGER,
    status             INTEGER,
    CHECK ((state IN ('waiting', 'sending')) = (settled_at IS NULL)),
    CHECK (state NOT IN ('sending', 'delivered') OR (begun > 0 AND begun_at IS NOT NULL)),
    CHECK (state <> 'suppressed' OR reason IS NOT NULL),
    CHECK (tries BETWEEN 0 AND begun),
    CHECK ((activity IS NULL) = (template IS NOT NULL)),
    CHECK ((idempotency_key IS NULL) = (idempotency_digest IS NULL))
) STRICT;

-- Attempts at their end. Those of a notification that was delivered at once, and those under way, are told by its own row:
-- `attempt_history` shows all.
CREATE TABLE attempt (
    seq      INTEGER NOT NULL REFERENCES notification (seq) ON DELETE CASCADE,
    number   INTEGER NOT NULL,
    begun_at INTEGER NOT NULL,
    ended_at INTEGER NOT NULL,
    outcome  TEXT    NOT NULL CHECK (outcome IN ('delivered', 'retry', 'failed', 'unknown', 'not_sent')),
    status   INTEGER,
    error    TEXT,
    PRIMARY KEY (seq, number)
) STRICT, WITHOUT ROWID;

INSERT INTO notification (seq, id, partition, channel_id, conversation_id, target, state, reason, priority, policy, moment, cause,
        activity, created_at, ready_at, due_at, ends_at, settled_at, begun, tries, retrying, begun_at, status)
    SELECT n.seq, n.id, n.partition, n.channel_id, n.conversation_id,
        coalesce((SELECT target FROM conversation c WHERE c.partition = n.partition AND c.channel_id = n.channel_id
            AND c.conversation_id = n.conversation_id), 0),
        n.state, CASE WHEN n.state = 'suppressed' THEN coalesce(n.reason, 'not said') ELSE n.reason END,
        n.priority, n.policy, n.moment, n.cause, n.activity, n.created_at, n.created_at,
        CASE WHEN n.tries = 0 THEN 0 ELSE n.due_at END, n.created_at + 86400000, n.settled_at,
        -- An attempt under way counts as a try at its end.
        n.tries, n.tries - (n.state = 'sending'),
        n.state = 'waiting' AND n.tries > 0,
        coalesce((SELECT begun_at FROM attempt_1 a WHERE a.seq = n.seq ORDER BY number DESC LIMIT 1), n.created_at),
        (SELECT status FROM attempt_1 a WHERE a.seq = n.seq AND outcome = 'delivered')
    FROM notification_1 n;
INSERT INTO attempt SELECT a.seq, a.number, a.begun_at, a.ended_at, a.outcome, a.status, a.error
    FROM attempt_1 a JOIN notification n USING (seq)
    WHERE a.outcome IS NOT NULL AND NOT (n.state = 'delivered' AND n.begun = 1);
-- Numbers go on where they were, also if the last rows are gone.
DELETE FROM sqlite_sequence WHERE name = 'notification';
UPDATE sqlite_sequence SET name = 'notification' WHERE name = 'notification_1';
DROP TABLE attempt_1;
DROP TABLE notification_1;

CREATE VIEW attempt_history (seq, number, begun_at, ended_at, outcome, status, error) AS
    SELECT seq, number, begun_at, ended_at, outcome, status, error FROM attempt
    UNION ALL
    SELECT seq, begun, begun_at, NULL, NULL, NULL, NULL FROM notification WHERE state = 'sending'
    UNION ALL
    SELECT seq, 1, begun_at, settled_at, 'delivered', status, NULL FROM notification WHERE state = 'delivered' AND begun = 1;

-- What waits: by its lane, by its time, by its end, and in the order of acceptance.
CREATE INDEX notification_lane ON notification (channel_id, conversation_id, priority, ready_at, seq) WHERE state = 'waiting';
CREATE INDEX notification_due ON notification (target, priority, due_at, seq) WHERE state = 'waiting';
CREATE INDEX notification_ends ON notification (ends_at) WHERE state = 'waiting';
CREATE INDEX notification_waiting ON notification (seq) WHERE state = 'waiting';
CREATE INDEX notification_retrying ON notification (channel_id, conversation_id, priority) WHERE state = 'waiting' AND retrying = 1;
CREATE INDEX notification_collapse ON notification (channel_id, conversation_id, collapse_key)
    WHERE state = 'waiting' AND collapse_key IS NOT NULL;
-- What is under way: all that a start has to read.
CREATE INDEX notification_sending ON notification (seq) WHERE state = 'sending';
-- What is settled, for lists.
CREATE INDEX notification_delivered ON notification (seq) WHERE state = 'delivered';
CREATE INDEX notification_ended ON notification (state, seq) WHERE state IN ('cancelled', 'expired', 'suppressed', 'failed', 'unknown');
CREATE INDEX notification_of_conversation ON notification (channel_id, conversation_id, seq);
CREATE UNIQUE INDEX notification_key ON notification (idempotency_key) WHERE idempotency_key IS NOT NULL;

-- The state machine, as `NotificationState::may_become` has it.
CREATE TRIGGER notification_begins BEFORE INSERT ON notification
    WHEN NEW.state NOT IN ('waiting', 'sending', 'suppressed')
BEGIN
    SELECT RAISE(ABORT, 'a notification begins as waiting, sending or suppressed');
END;
CREATE TRIGGER notification_goes_on BEFORE UPDATE OF state ON notification
    WHEN NOT (
        (OLD.state = 'waiting' AND NEW.state IN ('sending', 'suppressed', 'cancelled', 'expired', 'failed'))
        OR (OLD.state = 'sending'
            AND NEW.state IN ('delivered', 'waiting', 'unknown', 'failed', 'suppressed', 'cancelled', 'expired'))
    )
BEGIN
    SELECT RAISE(ABORT, 'a notification cannot go from its state to that one');
END;

INSERT INTO tally SELECT 'notification.' || state, count(*) FROM notification GROUP BY state;

-- Messages whose words are made when they are sent.
CREATE TABLE template (
    name       TEXT    NOT NULL PRIMARY KEY,
    source     TEXT    NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
