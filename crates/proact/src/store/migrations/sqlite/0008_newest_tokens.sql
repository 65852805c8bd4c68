-- The order in which a job's tokens were given out: of many, only the newest are kept.
ALTER TABLE job_token ADD COLUMN given INTEGER NOT NULL DEFAULT 0;
