// Which notifications the list shows.
import type { Filter, Notification } from './api/notifications';

export function matches({ state, priority, conversation }: Filter, notification: Notification): boolean {
  const { channelId, id } = notification.conversation;
  return (
    (state === undefined || state === notification.state) &&
    (priority === undefined || priority === notification.priority) &&
    (conversation === undefined || (conversation.channelId === channelId && conversation.id === id))
  );
}

export function isEmpty(filter: Filter): boolean {
  return filter.state === undefined && filter.priority === undefined && filter.conversation === undefined;
}

/** The filter with another value in one place, or without one. */
export function changed<N extends keyof Filter>(filter: Filter, name: N, value: Filter[N] | undefined): Filter {
  const { [name]: _, ...rest } = filter;
  return value === undefined ? rest : { ...rest, [name]: value };
}
