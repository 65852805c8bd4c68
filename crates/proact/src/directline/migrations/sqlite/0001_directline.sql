-- The built-in Direct Line channel. Times are milliseconds since 1970 in UTC; `partition` is the stable hash of the
-- conversation.

-- A conversation and how far it has come: `last_seq` numbers its activities, the bot's and the people's alike.
-- `last_at` keeps their times in the same order as their numbers, also when the clock is set back: clients sort by
-- time.
CREATE TABLE directline_conversation (
    partition  INTEGER NOT NULL,
    id         TEXT    NOT NULL,
    last_seq   INTEGER NOT NULL,
    last_at    INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (partition, id)
) STRICT, WITHOUT ROWID;

-- Who has joined: the bot is told of each person once.
CREATE TABLE directline_member (
    partition    INTEGER NOT NULL,
    conversation TEXT    NOT NULL,
    id           TEXT    NOT NULL,
    name         TEXT,
    joined_at    INTEGER NOT NULL,
    PRIMARY KEY (partition, conversation, id)
) STRICT, WITHOUT ROWID;

-- Every activity that is kept. `body` is its JSON without id and time, which `seq` and `at` give, and without what
-- depends on where the channel listens today.
CREATE TABLE directline_activity (
    row          INTEGER PRIMARY KEY,
    partition    INTEGER NOT NULL,
    conversation TEXT    NOT NULL,
    seq          INTEGER NOT NULL,
    at           INTEGER NOT NULL,
    -- Whether clients are shown it.
    shown        INTEGER NOT NULL CHECK (shown IN (0, 1)),
    -- Of what is for the bot: whether it has it. NULL for what came from the bot.
    hand_over    TEXT    CHECK (hand_over IN ('due', 'taken', 'rejected')),
    body         TEXT    NOT NULL
) STRICT;
CREATE UNIQUE INDEX directline_activity_of_conversation ON directline_activity (partition, conversation, seq);
-- What the bot does not have yet: short, however long the conversations are.
CREATE INDEX directline_activity_due ON directline_activity (partition, conversation, seq) WHERE hand_over = 'due';

-- The ids that notifications came with: one that comes again adds nothing. Kept longer than any retry or replay.
CREATE TABLE directline_taken_id (
    partition    INTEGER NOT NULL,
    conversation TEXT    NOT NULL,
    key          TEXT    NOT NULL,
    seq          INTEGER NOT NULL,
    at           INTEGER NOT NULL,
    PRIMARY KEY (partition, conversation, key)
) STRICT, WITHOUT ROWID;
