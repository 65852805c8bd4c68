// Jobs and notifications, live: read anew at every `reset`, and kept current by each change in between.
import { useCallback, useEffect, useRef, useState } from 'react';

import { completeJob, listJobs, listNotifications, type Held, type Job, type Notification, type Paged } from './api';
import { listenToChanges } from './changes';
import { useHold } from './hold';
import { emptyList, put, type LiveList } from './live-list';

export type FeedState = 'connecting' | 'live' | 'reconnecting';

export type Resources = {
  feed: FeedState;
  jobs: LiveList<Job>;
  notifications: LiveList<Notification>;
  held: Held | null;
  complete(number: number): Promise<void>;
  olderJobs(): Promise<void>;
  olderNotifications(): Promise<void>;
};

const jobKey = (job: Job) => job.number;
const notificationKey = (notification: Notification) => notification.id;
// Newest first; what was made in the same instant keeps an order by its id.
const notificationOrder = (notification: Notification) => `${Date.parse(notification.createdAt)} ${notification.id}`;

export function useResources(): Resources {
  const [feed, setFeed] = useState<FeedState>('connecting');
  const jobs = useLiveList(listJobs, jobKey, jobKey);
  const notifications = useLiveList(listNotifications, notificationOrder, notificationKey);

  const { held, reload: reloadHold } = useHold();

  const { change: changeJob, reload: reloadJobs } = jobs;
  const { change: changeNotification, reload: reloadNotifications } = notifications;
  useEffect(
    () =>
      listenToChanges({
        onOpen: () => setFeed('live'),
        onBroken: () => setFeed('reconnecting'),
        onReset: () => {
          reloadJobs();
          reloadNotifications();
          reloadHold();
        },
        onJob: changeJob,
        onNotification: changeNotification
      }),
    [changeJob, changeNotification, reloadJobs, reloadNotifications, reloadHold]
  );

  const complete = useCallback(async (number: number) => changeJob(await completeJob(number)), [changeJob]);

  return {
    feed,
    jobs: jobs.list,
    notifications: notifications.list,
    held,
    complete,
    olderJobs: jobs.older,
    olderNotifications: notifications.older
  };
}

function useLiveList<T, K extends number | string>(
  read: (cursor?: string) => Promise<Paged<T>>,
  order: (item: T) => K,
  key: (item: T) => unknown
) {
  const [list, setList] = useState<LiveList<T>>(emptyList);
  // What changed while the list is being read is newer than what is read.
  const meanwhile = useRef<T[] | undefined>(undefined);
  const reading = useRef(0);

  const change = useCallback(
    (item: T) => {
      meanwhile.current?.push(item);
      setList(before => ({ ...before, items: put(before.items, [item], order, key) }));
    },
    [order, key]
  );

  const reload = useCallback(() => {
    const mine = ++reading.current;
    const changed: T[] = [];
    meanwhile.current = changed;
    read()
      .then(({ items, next }) => {
        if (mine === reading.current) setList({ items: put(items, changed, order, key), next, loaded: true });
      })
      // The feed opens with a reset, so a server that went away in between has the list read again.
      .catch((error: unknown) => console.warn('A list could not be read.', error))
      .finally(() => {
        if (mine === reading.current) meanwhile.current = undefined;
      });
  }, [read, order, key]);

  const older = useCallback(async () => {
    if (list.next === null) return;
    const { items, next } = await read(list.next);
    setList(before => ({ items: put(items, before.items, order, key), next, loaded: true }));
  }, [list.next, read, order, key]);

  return { list, change, reload, older };
}
