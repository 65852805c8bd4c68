// The conversations one can choose from: the page's windows first, then everybody else the page knows of.
import { useContext } from 'react';

import type { ConversationKey } from './api/outbox';
import { ConversationNames, OWN_CHANNEL, shortId } from './conversation-name';
import { useOutbox } from './outbox-context';

export type Option = { value: string; label: string; conversation: ConversationKey };

/** `chosen` is among them, also when nobody else knows it. */
export function useConversationOptions(chosen?: ConversationKey): Option[] {
  const { conversations } = useOutbox();
  const names = useContext(ConversationNames);
  const windows = [...names].map(([id, name]) => option({ channelId: OWN_CHANNEL, id }, name));
  const others = [...conversations, ...(chosen ? [chosen] : [])].map(key => option(key, `${key.channelId}/${shortId(key.id)}`));
  const all = new Map<string, Option>();
  for (const one of [...windows, ...others]) if (!all.has(one.value)) all.set(one.value, one);
  return [...all.values()];
}

export function conversationValue({ channelId, id }: ConversationKey): string {
  return JSON.stringify([channelId, id]);
}

function option(conversation: ConversationKey, label: string): Option {
  return { value: conversationValue(conversation), label, conversation };
}
