// What the page shows of the server, live: read anew at every `reset`, and kept current by each change in between.
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';

import { endJob, listJobs, type Job, type JobEnd } from './api/jobs';
import { getNotification, listNotifications, type Filter, type Notification } from './api/notifications';
import { listConversations, type ConversationKey } from './api/outbox';
import { listenToChanges } from './changes';
import { matches } from './filter';
import { useLiveList } from './live-list';
import { useStatus } from './status';

export type FeedState = 'connecting' | 'live' | 'reconnecting';

export type Resources = ReturnType<typeof useResources>;

const jobList = {
  read: listJobs,
  order: (job: Job) => job.number,
  key: (job: Job) => job.number,
  accepts: () => true
};

function notificationList(filter: Filter) {
  return {
    read: (cursor?: string) => listNotifications(filter, cursor),
    // Newest first; what was made in the same instant keeps an order by its id.
    order: ({ createdAt, id }: Notification) => `${Date.parse(createdAt)} ${id}`,
    key: ({ id }: Notification) => id,
    accepts: (notification: Notification) => matches(filter, notification)
  };
}

export function useResources() {
  const [feed, setFeed] = useState<FeedState>('connecting');
  const [filter, setFilter] = useState<Filter>({});
  const [conversations, setConversations] = useState<ConversationKey[]>([]);
  const listeners = useRef(new Set<(notification: Notification) => void>());
  const kind = useMemo(() => notificationList(filter), [filter]);

  const jobs = useLiveList(jobList);
  const notifications = useLiveList(kind);
  const { status, held, reload: reloadStatus, quietly, nudge } = useStatus();

  const meet = useCallback(() => {
    listConversations()
      .then(({ items }) => setConversations(items.map(({ conversation }) => conversation)))
      .catch((error: unknown) => console.warn('The conversations could not be read.', error));
  }, []);

  // The feed is opened once; what it calls is what is there by then.
  const { change: changeJob } = jobs;
  const { change: changeNotification, keep } = notifications;
  const calls = useRef({ jobs, notifications, quietly, nudge, meet });
  calls.current = { jobs, notifications, quietly, nudge, meet };
  useEffect(
    () =>
      listenToChanges({
        onOpen: () => setFeed('live'),
        onBroken: () => setFeed('reconnecting'),
        onReset() {
          calls.current.jobs.reload();
          calls.current.notifications.reload();
          calls.current.quietly();
          calls.current.meet();
        },
        onJob: job => calls.current.jobs.change(job),
        onNotification(notification) {
          calls.current.notifications.change(notification);
          calls.current.nudge();
          listeners.current.forEach(listener => listener(notification));
        }
      }),
    []
  );

  const end = useCallback(async (number: number, how: JobEnd) => changeJob(await endJob(number, how)), [changeJob]);

  /** Puts one into the list, whatever the filter. */
  const fetchOne = useCallback(
    async (id: string) => {
      const found = await getNotification(id);
      keep(found, true);
      changeNotification(found);
    },
    [changeNotification, keep]
  );

  /** Answers with how to stop listening. */
  const onNotification = useCallback((listener: (notification: Notification) => void) => {
    listeners.current.add(listener);
    return () => void listeners.current.delete(listener);
  }, []);

  return {
    feed,
    jobs: jobs.list,
    olderJobs: jobs.older,
    end,
    notifications: notifications.list,
    olderNotifications: notifications.older,
    keepNotification: keep,
    changeNotification,
    fetchOne,
    onNotification,
    filter,
    setFilter,
    conversations,
    meet,
    status,
    held,
    reloadStatus
  };
}
