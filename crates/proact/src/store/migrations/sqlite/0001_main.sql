-- Times are milliseconds since 1970 in UTC. `partition` is the stable hash of the conversation (0 to 255): everything about a
-- conversation names it, so that the same tables can be spread over many machines.

-- Single facts about this data: under which URL the built-in channel was last reached.
CREATE TABLE fact (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- How to reach a conversation again: the newest reference, without the activity it came with.
CREATE TABLE conversation (
    partition            INTEGER NOT NULL,
    channel_id           TEXT    NOT NULL,
    conversation_id      TEXT    NOT NULL,
    reference            TEXT    NOT NULL,
    service_url_verified INTEGER NOT NULL DEFAULT 0 CHECK (service_url_verified IN (0, 1)),
    created_at           INTEGER NOT NULL,
    updated_at           INTEGER NOT NULL,
    PRIMARY KEY (partition, channel_id, conversation_id)
) STRICT, WITHOUT ROWID;

-- The turn journal: turns that were answered before their end, and turns whose state was saved with them.
CREATE TABLE turn (
    partition  INTEGER NOT NULL,
    key        BLOB    NOT NULL,
    -- The activity, while the turn is owed: answered early and not yet at its end.
    activity   BLOB,
    -- How often it was begun; three at most.
    runs       INTEGER NOT NULL DEFAULT 1,
    -- The answer: NULL while the turn is owed.
    status     INTEGER,
    body       BLOB,
    at         INTEGER NOT NULL,
    PRIMARY KEY (partition, key),
    CHECK ((activity IS NULL) = (status IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX turn_by_age ON turn (at);
CREATE INDEX turn_owed ON turn (at) WHERE activity IS NOT NULL;

-- What a turn's commands did, so that a turn that is run again finds it done.
CREATE TABLE command (
    partition INTEGER NOT NULL,
    turn      BLOB    NOT NULL,
    ordinal   INTEGER NOT NULL,
    kind      TEXT    NOT NULL,
    digest    BLOB    NOT NULL,
    outcome   TEXT    NOT NULL,
    at        INTEGER NOT NULL,
    PRIMARY KEY (partition, turn, ordinal)
) STRICT, WITHOUT ROWID;
CREATE INDEX command_by_age ON command (at);

-- Bot state: a value under a key. `etag` counts the writes and is never used again for a key, not even after a deletion.
CREATE TABLE bot_state (
    key   TEXT    NOT NULL PRIMARY KEY,
    value TEXT    NOT NULL,
    etag  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE bot_state_etag (only INTEGER PRIMARY KEY CHECK (only = 1), last INTEGER NOT NULL) STRICT;
INSERT INTO bot_state_etag (only, last) VALUES (1, 0);

-- The job log. AUTOINCREMENT: a number is never used twice, not even after a deletion.
CREATE TABLE job (
    number          INTEGER PRIMARY KEY AUTOINCREMENT,
    partition       INTEGER NOT NULL,
    channel_id      TEXT    NOT NULL,
    conversation_id TEXT    NOT NULL,
    kind            TEXT    NOT NULL,
    state           TEXT    NOT NULL
        CHECK (state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled', 'timed_out')),
    created_at      INTEGER NOT NULL,
    completed_at    INTEGER,
    notification_id BLOB,
    CHECK ((state IN ('queued', 'running')) = (completed_at IS NULL))
) STRICT;
CREATE INDEX job_of_conversation ON job (channel_id, conversation_id, number);
CREATE INDEX job_unfinished ON job (number) WHERE state IN ('queued', 'running');
CREATE INDEX job_finished ON job (number) WHERE state NOT IN ('queued', 'running');

-- The outbox and its history. `seq` is the order of acceptance.
CREATE TABLE notification (
    seq             INTEGER PRIMARY KEY AUTOINCREMENT,
    id              BLOB    NOT NULL UNIQUE,
    partition       INTEGER NOT NULL,
    channel_id      TEXT    NOT NULL,
    conversation_id TEXT    NOT NULL,
    state           TEXT    NOT NULL
        CHECK (state IN ('waiting', 'sending', 'delivered', 'cancelled', 'expired', 'suppressed', 'failed', 'unknown')),
    reason          TEXT,
    priority        TEXT    NOT NULL CHECK (priority IN ('urgent', 'normal', 'bulk')),
    policy          TEXT    NOT NULL CHECK (policy IN ('at_least_once', 'at_most_once')),
    moment          TEXT    NOT NULL CHECK (moment IN ('after_turn', 'interject')),
    cause           TEXT    NOT NULL,
    activity        TEXT    NOT NULL,
    tries           INTEGER NOT NULL DEFAULT 0,
    created_at      INTEGER NOT NULL,
    due_at          INTEGER NOT NULL,
    settled_at      INTEGER,
    CHECK ((state IN ('waiting', 'sending')) = (settled_at IS NULL))
) STRICT;
-- What is not settled yet, in the order of acceptance: all that a start has to read.
CREATE INDEX notification_open ON notification (seq) WHERE state IN ('waiting', 'sending');
CREATE INDEX notification_by_state ON notification (state, seq);
CREATE INDEX notification_of_conversation ON notification (channel_id, conversation_id, seq);

-- Each try to deliver a notification; `outcome` is NULL while it is under way.
CREATE TABLE attempt (
    seq      INTEGER NOT NULL REFERENCES notification (seq) ON DELETE CASCADE,
    number   INTEGER NOT NULL,
    begun_at INTEGER NOT NULL,
    ended_at INTEGER,
    outcome  TEXT CHECK (outcome IN ('delivered', 'retry', 'failed', 'unknown', 'not_sent')),
    status   INTEGER,
    error    TEXT,
    PRIMARY KEY (seq, number),
    CHECK ((outcome IS NULL) = (ended_at IS NULL))
) STRICT, WITHOUT ROWID;
