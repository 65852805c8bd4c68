// Which notifications' stories are open; and one that is asked for is put into the list, opened and shown.
import { useCallback, useEffect, useRef, useState } from 'react';

import type { Notification } from './api/notifications';
import type { Resources } from './resources';

export function useStories({ keepNotification, fetchOne, notifications }: Resources) {
  const [opened, setOpened] = useState<ReadonlySet<string>>(new Set());
  const wanted = useRef<string>();

  const toggle = useCallback(
    (notification: Notification, open: boolean) => {
      keepNotification(notification, open);
      setOpened(before => (open ? new Set([...before, notification.id]) : new Set([...before].filter(id => id !== notification.id))));
    },
    [keepNotification]
  );

  const open = useCallback(
    async (id: string) => {
      await fetchOne(id);
      setOpened(before => new Set([...before, id]));
      wanted.current = id;
    },
    [fetchOne]
  );

  // Once it is drawn.
  useEffect(() => {
    if (wanted.current === undefined) return;
    const row = document.querySelector(`[data-notification="${CSS.escape(wanted.current)}"]`);
    if (!row) return;
    wanted.current = undefined;
    row.querySelector('summary')?.focus({ preventScroll: true });
    row.scrollIntoView({ block: 'nearest' });
  }, [notifications, opened]);

  return { opened, toggle, open };
}
