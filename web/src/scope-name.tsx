// What a pause holds back, in words.
import { useContext } from 'react';

import type { Scope } from './api/outbox';
import { ConversationNames, OWN_CHANNEL, shortId } from './conversation-name';

export function useScopeName(): (scope: Scope) => string {
  const names = useContext(ConversationNames);
  return scope => {
    if (scope.scope === 'all') return 'Everything';
    if (scope.scope === 'channel') return `The channel ${scope.channelId}`;
    const { channelId, id } = scope.conversation;
    const window = channelId === OWN_CHANNEL ? names.get(id) : undefined;
    return window ?? `The conversation ${channelId}/${shortId(id)}`;
  };
}
