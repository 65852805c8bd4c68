-- Pauses in the order in which they are listed: there may be one for each conversation, and a page of them must not read them all.
CREATE INDEX pause_in_order ON pause (at, channel_id, conversation_id);
