-- Who sent the activity of a turn that is owed, as their token proved it (JSON): run again, the turn has the same caller. NULL on rows
-- of before: nobody was asked then.
ALTER TABLE turn ADD COLUMN caller TEXT;
