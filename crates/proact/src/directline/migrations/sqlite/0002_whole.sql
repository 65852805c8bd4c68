-- What came with the whole of Direct Line: ends, updates and deletes, history of another hand, files, pruning.

-- When the conversation was ended by its client or its bot: nobody sends any more, and everybody may read. NULL while
-- it goes on.
ALTER TABLE directline_conversation ADD COLUMN ended_at INTEGER;
-- Up to which number its history was pruned for being too long.
ALTER TABLE directline_conversation ADD COLUMN pruned_seq INTEGER NOT NULL DEFAULT 0;

-- The id under which it is shown, where that is not the one that `seq` gives: an activity that was updated or deleted
-- takes a new number, so that everyone who reads on meets it again, and keeps its id.
ALTER TABLE directline_activity ADD COLUMN id TEXT;
CREATE UNIQUE INDEX directline_activity_of_id ON directline_activity (partition, conversation, id) WHERE id IS NOT NULL;

-- When it came, where that is not `at`: a past that was brought along is as old as it says, and kept as long as any.
ALTER TABLE directline_activity ADD COLUMN came_at INTEGER;

-- To forget the oldest.
CREATE INDEX directline_taken_id_of_age ON directline_taken_id (at);

-- Files that were sent along; their bytes are in a folder, under the same id. The id begins with the partition and is
-- not to be guessed: who knows it may fetch the file.
CREATE TABLE directline_file (
    partition      INTEGER NOT NULL,
    id             TEXT    NOT NULL,
    conversation   TEXT    NOT NULL,
    name           TEXT,
    content_type   TEXT    NOT NULL,
    size           INTEGER NOT NULL,
    -- NULL when there is none.
    thumbnail_size INTEGER,
    at             INTEGER NOT NULL,
    PRIMARY KEY (partition, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX directline_file_of_age ON directline_file (at);
