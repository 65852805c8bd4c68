-- Keys for the API. The key itself is not here: `digest` is the SHA-256 of it, and it is 256 random bits, so there is nothing to guess.
CREATE TABLE api_key (
    -- Part of the key, in clear: what it is called in logs and on the command line.
    id            TEXT    NOT NULL PRIMARY KEY,
    name          TEXT    NOT NULL,
    digest        BLOB    NOT NULL CHECK (length(digest) = 32),
    -- JSON lists of words. NULL: not limited by this.
    verbs         TEXT    NOT NULL,
    kinds         TEXT,
    conversations TEXT,
    created_at    INTEGER NOT NULL,
    expires_at    INTEGER,
    -- A row is never taken away: what was revoked must be known to have been.
    revoked_at    INTEGER,
    -- To within ten minutes.
    used_at       INTEGER
) STRICT, WITHOUT ROWID;
