// The server's change feed (GET /v1/changes), open for as long as the page is.
import { request } from './api/http';
import type { Job } from './api/jobs';
import type { Notification } from './api/notifications';

export type ChangeEvents = {
  onOpen(): void;
  onBroken(): void;
  onReset(): void;
  onJob(job: Job): void;
  onNotification(notification: Notification): void;
};

const PAUSE_MS = 2000;

/** Answers with how to stop listening. */
export function listenToChanges(events: ChangeEvents): () => void {
  let source: EventSource;
  let timer: number | undefined;

  function open(): void {
    source = new EventSource('/v1/changes');
    source.addEventListener('open', () => events.onOpen());
    source.addEventListener('reset', () => events.onReset());
    source.addEventListener('job', ({ data }) => events.onJob(JSON.parse(data) as Job));
    source.addEventListener('notification', ({ data }) => events.onNotification(JSON.parse(data) as Notification));
    source.addEventListener('error', () => {
      events.onBroken();
      // The browser tries again by itself after a broken line, but gives up after an answer that is not a stream.
      if (source.readyState === EventSource.CLOSED) timer = window.setTimeout(again, PAUSE_MS);
    });
  }

  /** An event stream does not say why it was refused; a request does, and is what leads to signing in. */
  function again(): void {
    request('GET', '/v1/status')
      .catch(() => undefined)
      .finally(() => {
        if (timer !== undefined) open();
      });
  }

  open();
  return () => {
    clearTimeout(timer);
    timer = undefined;
    source.close();
  };
}
