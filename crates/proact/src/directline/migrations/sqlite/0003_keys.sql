-- Which key of the API a conversation was started with; NULL: with none.
ALTER TABLE directline_conversation ADD COLUMN key_id TEXT;
