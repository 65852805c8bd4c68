// One notification in the list. Enter opens its story, Escape closes it again.
import { memo, useCallback, useRef, type KeyboardEvent } from 'react';

import type { Notification } from './api/notifications';
import { ConversationName } from './conversation-name';
import { Moment } from './moment';
import { StateChip } from './state-chip';
import { StoryOf } from './story';

type Props = {
  notification: Notification;
  open: boolean;
  onToggle(notification: Notification, open: boolean): void;
  onRead(notification: Notification): void;
};

export const NotificationRow = memo(function NotificationRow({ notification, open, onToggle, onRead }: Props) {
  const summary = useRef<HTMLElement>(null);
  const { id, state, text, reason, conversation, priority, settledAt, createdAt } = notification;
  const focus = useCallback(() => summary.current?.focus(), []);
  const close = (event: KeyboardEvent) => {
    if (event.key !== 'Escape' || !open) return;
    onToggle(notification, false);
    focus();
  };
  return (
    <li data-notification={id} onKeyDown={close}>
      <details open={open} onToggle={event => event.currentTarget.open !== open && onToggle(notification, event.currentTarget.open)}>
        <summary ref={summary} className="row">
          <span className="row-title">{text || 'No text'}</span>
          <StateChip state={state} />
          <span className="row-detail">
            to <ConversationName conversation={conversation} /> · <Moment at={settledAt ?? createdAt} />
            {priority !== 'normal' && ` · ${priority}`}
            {reason && ` · ${reason}`}
          </span>
        </summary>
        {open && <StoryOf notification={notification} onRead={onRead} onDone={focus} />}
      </details>
    </li>
  );
});
