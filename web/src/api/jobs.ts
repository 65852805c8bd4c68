// Jobs, as docs/http-api.md has them.
import { query, request, type Paged } from './http';
import type { ConversationKey } from './outbox';

export type Job = {
  number: number;
  kind: string;
  state: string;
  conversation: ConversationKey;
  createdAt: string;
  completedAt: string | null;
  notificationId: string | null;
  title?: string;
  reason?: string;
  deadline?: string;
  heardAt?: string;
  silentAt?: string;
  progress?: JobProgress;
};

export type JobProgress = { percent: number | null; text: string | null; updatedAt: string };

/** How a person ends a job, and what the conversation is told instead of the usual words. */
export type JobEnd = { how: 'complete' | 'fail' | 'cancel'; reason?: string; message?: string };

export function listJobs(cursor?: string): Promise<Paged<Job>> {
  return request('GET', `/v1/jobs?${query({ limit: 20, cursor })}`);
}

export function endJob(number: number, { how, ...said }: JobEnd): Promise<Job> {
  return request('POST', `/v1/jobs/${number}/${how}`, said);
}
