// The notifications and their states, newest first; each opens to its story.
import type { Notification } from './api/notifications';
import { isEmpty } from './filter';
import type { LiveList } from './live-list';
import { NotificationFilter } from './notification-filter';
import { NotificationRow } from './notification-row';
import { useOutbox } from './outbox-context';
import { OlderButton, Panel } from './panel';

type Props = {
  notifications: LiveList<Notification>;
  onOlder(): Promise<void>;
  opened: ReadonlySet<string>;
  onToggle(notification: Notification, open: boolean): void;
  onRead(notification: Notification): void;
};

export function NotificationsPanel({ notifications, onOlder, opened, onToggle, onRead }: Props) {
  const { filter } = useOutbox();
  const { items, loaded, next } = notifications;
  const none = isEmpty(filter) ? 'None yet. One is sent when a job completes.' : 'None of these.';
  return (
    <Panel title="Notifications" className="notifications" count={<NotificationFilter />}>
      {items.length === 0 && <p className="empty">{loaded ? none : 'Reading…'}</p>}
      {(items.length > 0 || next !== null) && (
        <div className="scroll">
          <ul className="rows">
            {items.map(notification => (
              <NotificationRow
                key={notification.id}
                notification={notification}
                open={opened.has(notification.id)}
                onToggle={onToggle}
                onRead={onRead}
              />
            ))}
          </ul>
          {next !== null && <OlderButton what="notifications" onOlder={onOlder} />}
        </div>
      )}
    </Panel>
  );
}
