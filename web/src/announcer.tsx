// Says to those who cannot see it how notifications ended. Sparingly: only final states, several at once in one sentence, and
// not those delivered to a window of this page, because Web Chat reads that message out itself.
import { useCallback, useContext, useEffect, useRef, useState } from 'react';

import type { Notification } from './api/notifications';
import { ConversationNames } from './conversation-name';
import type { LiveList } from './live-list';

const SETTLE_MS = 1000;
/** Ids that are remembered, so that none is told twice. */
const REMEMBERED = 2000;

type Props = {
  notifications: LiveList<Notification>;
  /** Hears of each change, also of what the list does not show. */
  listen(listener: (notification: Notification) => void): () => void;
};

export function Announcer({ notifications, listen }: Props) {
  const windows = useContext(ConversationNames);
  const [sentence, setSentence] = useState('');
  const known = useRef<Set<string>>();
  /** By the server's clock. What was settled before is history, also when it is read later. */
  const opened = useRef(0);
  const waiting = useRef<Notification[]>([]);
  const timer = useRef<number>();
  const shown = useRef(windows);
  shown.current = windows;

  const hear = useCallback((notification: Notification) => {
    const { id, state, conversation } = notification;
    if (notification.settledAt === null || !known.current || known.current.has(id)) return;
    if (settledAt(notification) < opened.current) return;
    known.current.add(id);
    if (known.current.size > REMEMBERED) {
      // What is forgotten is history: it came before this one.
      opened.current = Math.max(opened.current, settledAt(notification) - SETTLE_MS);
      known.current = new Set([...known.current].slice(REMEMBERED / 2));
    }
    if (state === 'delivered' && shown.current.has(conversation.id)) return;
    waiting.current.push(notification);
    timer.current ??= window.setTimeout(() => {
      timer.current = undefined;
      setSentence(tell(waiting.current.splice(0)));
    }, SETTLE_MS);
  }, []);

  useEffect(() => listen(hear), [listen, hear]);
  useEffect(() => () => clearTimeout(timer.current), []);

  // What was settled while the feed was away is in the list alone.
  useEffect(() => {
    if (!notifications.loaded) return;
    const settled = notifications.items.filter(({ settledAt }) => settledAt !== null);
    if (known.current) return settled.forEach(hear);
    known.current = new Set(settled.map(({ id }) => id));
    opened.current = Math.max(0, ...settled.map(settledAt));
  }, [notifications, hear]);

  return (
    <p className="visually-hidden" role="status">
      {sentence}
    </p>
  );
}

function settledAt({ settledAt }: Notification): number {
  return Date.parse(settledAt ?? '');
}

function tell(settled: Notification[]): string {
  const [first] = settled;
  if (settled.length === 1 && first) return `Notification ${first.state}: ${first.text || 'without text'}`;
  const counts = new Map<string, number>();
  for (const { state } of settled) counts.set(state, (counts.get(state) ?? 0) + 1);
  return `${settled.length} notifications: ${[...counts].map(([state, count]) => `${count} ${state}`).join(', ')}`;
}
