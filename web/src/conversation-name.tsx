// How a conversation is called on the page: the window that shows it, or else the beginning of its id.
import { createContext, useContext } from 'react';

import type { ConversationKey } from './api/outbox';

export const ConversationNames = createContext<ReadonlyMap<string, string>>(new Map());

/** The channel of the page's own windows. */
export const OWN_CHANNEL = 'directline';

export function ConversationName({ conversation }: { conversation: ConversationKey }) {
  const name = useWindowName(conversation);
  return (
    <span className={name ? undefined : 'mono'} title={`Conversation ${conversation.id} on ${conversation.channelId}`}>
      {name ?? shortId(conversation.id)}
    </span>
  );
}

export function useWindowName({ channelId, id }: ConversationKey): string | undefined {
  const name = useContext(ConversationNames).get(id);
  return channelId === OWN_CHANNEL ? name : undefined;
}

export function shortId(id: string): string {
  return id.length <= 10 ? id : `${id.slice(0, 8)}…`;
}
