-- What was said, a row each. Times are milliseconds since 1970 in UTC; `partition` is the stable hash of the conversation.

-- `seq` is the order in which it was written down, and never used twice: readers go on from it after rows were pruned.
CREATE TABLE transcript (
    seq             INTEGER PRIMARY KEY AUTOINCREMENT,
    partition       INTEGER NOT NULL,
    channel_id      TEXT    NOT NULL,
    conversation_id TEXT    NOT NULL,
    at              INTEGER NOT NULL,
    kind            TEXT    NOT NULL CHECK (kind IN ('received', 'sent', 'updated', 'deleted')),
    activity        TEXT    NOT NULL
) STRICT;

CREATE INDEX transcript_by_conversation ON transcript (channel_id, conversation_id, seq);
CREATE INDEX transcript_by_age ON transcript (at);
