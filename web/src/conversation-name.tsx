// How a conversation is called on the page: the window that shows it, or else the beginning of its id.
import { createContext, useContext } from 'react';

import type { ConversationKey } from './api';

export const ConversationNames = createContext<ReadonlyMap<string, string>>(new Map());

export function ConversationName({ conversation }: { conversation: ConversationKey }) {
  const name = useContext(ConversationNames).get(conversation.id);
  return (
    <span className={name ? undefined : 'mono'} title={`Conversation ${conversation.id} on ${conversation.channelId}`}>
      {name ?? shortId(conversation.id)}
    </span>
  );
}

export function shortId(id: string): string {
  return id.length <= 10 ? id : `${id.slice(0, 8)}…`;
}
