// The notifications and their states, newest first; each opens to its attempts.
import { useEffect, useState } from 'react';

import { getNotification, type Attempt, type Notification } from './api';
import { ConversationName } from './conversation-name';
import type { LiveList } from './live-list';
import { Moment } from './moment';
import { OlderButton, Panel } from './panel';
import { StateChip } from './state-chip';

type Props = { notifications: LiveList<Notification>; onOlder(): Promise<void> };

export function NotificationsPanel({ notifications, onOlder }: Props) {
  return (
    <Panel title="Notifications" className="notifications">
      {notifications.items.length === 0 ? (
        <p className="empty">{notifications.loaded ? 'None yet. One is sent when a job completes.' : 'Reading…'}</p>
      ) : (
        <div className="scroll">
          <ul className="rows">
            {notifications.items.map(notification => (
              <NotificationRow key={notification.id} notification={notification} />
            ))}
          </ul>
          {notifications.next !== null && <OlderButton what="notifications" onOlder={onOlder} />}
        </div>
      )}
    </Panel>
  );
}

function NotificationRow({ notification }: { notification: Notification }) {
  const [open, setOpen] = useState(false);
  const { state, text, reason, conversation, settledAt, createdAt } = notification;
  return (
    <li data-notification={notification.id}>
      <details onToggle={event => setOpen(event.currentTarget.open)}>
        <summary className="row">
          <span className="row-title">{text ?? 'No text'}</span>
          <StateChip state={state} />
          <span className="row-detail">
            to <ConversationName conversation={conversation} /> · <Moment at={settledAt ?? createdAt} />
            {reason && ` · ${reason}`}
          </span>
        </summary>
        {open && <Attempts notification={notification} />}
      </details>
    </li>
  );
}

function Attempts({ notification }: { notification: Notification }) {
  const [attempts, setAttempts] = useState<Attempt[]>();
  const { id, state, tries } = notification;
  useEffect(() => {
    let current = true;
    getNotification(id)
      .then(found => current && setAttempts(found.attempts ?? []))
      .catch(() => current && setAttempts([]));
    return () => {
      current = false;
    };
  }, [id, state, tries]);

  if (!attempts) return <p className="attempts">Reading…</p>;
  if (attempts.length === 0) return <p className="attempts">No attempt yet.</p>;
  return (
    <ol className="attempts">
      {attempts.map(attempt => (
        <li key={attempt.number} value={attempt.number}>
          {attempt.outcome ?? 'under way'}
          {attempt.status !== null && ` · HTTP ${attempt.status}`} · <Moment at={attempt.endedAt ?? attempt.begunAt} />
          {attempt.error && ` · ${attempt.error}`}
        </li>
      ))}
    </ol>
  );
}
