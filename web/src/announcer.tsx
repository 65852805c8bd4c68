// Says to those who cannot see it how notifications ended. Sparingly: only final states, several at once in one sentence, and
// not those delivered to a window of this page, because Web Chat reads that message out itself.
import { useContext, useEffect, useRef, useState } from 'react';

import type { Notification } from './api';
import { ConversationNames } from './conversation-name';
import type { LiveList } from './live-list';

const SETTLE_MS = 1000;

export function Announcer({ notifications }: { notifications: LiveList<Notification> }) {
  const windows = useContext(ConversationNames);
  const [sentence, setSentence] = useState('');
  const known = useRef<Set<string>>();
  /** By the server's clock. What was settled before is history, also when it is read later. */
  const opened = useRef(0);
  const waiting = useRef<Notification[]>([]);

  useEffect(() => {
    if (!notifications.loaded) return;
    const settled = notifications.items.filter(({ settledAt }) => settledAt !== null);
    if (!known.current) {
      known.current = new Set(settled.map(({ id }) => id));
      opened.current = Math.max(0, ...settled.map(settledAt));
      return;
    }
    for (const notification of settled) {
      if (known.current.has(notification.id) || settledAt(notification) < opened.current) continue;
      known.current.add(notification.id);
      if (notification.state !== 'delivered' || !windows.has(notification.conversation.id)) waiting.current.push(notification);
    }
    if (waiting.current.length === 0) return;
    const timer = setTimeout(() => {
      setSentence(tell(waiting.current));
      waiting.current = [];
    }, SETTLE_MS);
    return () => clearTimeout(timer);
  }, [notifications, windows]);

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
  if (settled.length === 1 && first) return `Notification ${first.state}: ${first.text ?? 'without text'}`;
  const counts = new Map<string, number>();
  for (const { state } of settled) counts.set(state, (counts.get(state) ?? 0) + 1);
  return `${settled.length} notifications: ${[...counts].map(([state, count]) => `${count} ${state}`).join(', ')}`;
}
