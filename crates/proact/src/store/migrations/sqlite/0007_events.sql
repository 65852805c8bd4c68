-- Events that took effect, so that one that comes again is answered and does nothing: by the digest of who sent it, its source and
-- its id. `content` is the digest of what it said.
CREATE TABLE event (
    digest  BLOB    NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
    content BLOB    NOT NULL,
    outcome TEXT    NOT NULL,
    at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX event_by_age ON event (at);

-- Webhooks whose signature was good, by the digest of their sender and id; `content` is the digest of their body.
CREATE TABLE webhook (
    digest  BLOB    NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
    content BLOB    NOT NULL,
    at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX webhook_by_age ON webhook (at);
