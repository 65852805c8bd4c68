// The life of one window's conversation: a token first, then the connection, and a new conversation when the old one is gone.
import type { DirectLine } from 'botframework-directlinejs';
import { useEffect, useState } from 'react';

import { openLink, type Activity } from './direct-line';
import { knownConversation, newConversation, type PageToken } from './page-token';
import { whileAway } from './patience';
import type { StoredWindow } from './window-storage';

export type ChatState = 'connecting' | 'online' | 'reconnecting';

export type Chat = {
  state: ChatState;
  /** Something that the person at this window should know. */
  notice: string | undefined;
  link: DirectLine | undefined;
};

export type ChatEvents = {
  onConversation(number: number, conversationId: string | undefined): void;
  onActivities(conversationId: string, activities: Activity[]): void;
};

const GONE = 'The server no longer knows the conversation that was here. This is a new one.';

export function useChat({ number, userId, conversationId }: StoredWindow, events: ChatEvents): Chat {
  const [chat, setChat] = useState<Chat>({ state: 'connecting', notice: undefined, link: undefined });
  const [startedAnew, setStartedAnew] = useState(0);
  const { onConversation, onActivities } = events;

  // Only a new start opens the connection again: learning the conversation's id, in between, must not.
  useEffect(() => {
    const life = new AbortController();
    const update = (change: Partial<Chat>) => {
      if (!life.signal.aborted) setChat(before => ({ ...before, ...change }));
    };

    async function start(): Promise<void> {
      const [page, isNew] = await whileAway(() => token(startedAnew === 0 ? conversationId : undefined), life.signal);
      life.signal.throwIfAborted();
      if (isNew && conversationId !== undefined) update({ notice: GONE });
      onConversation(number, page.conversationId);
      const link = openLink(page, !isNew, {
        onOpen: () => update({ state: 'online' }),
        onBroken: () => update({ state: 'reconnecting' }),
        onActivities: activities => onActivities(page.conversationId, activities),
        onGone: () => {
          if (!life.signal.aborted) setStartedAnew(count => count + 1);
        }
      });
      update({ link, state: 'connecting' });
    }

    async function token(known: string | undefined): Promise<[PageToken, isNew: boolean]> {
      const page = known === undefined ? undefined : await knownConversation(userId, known);
      return page ? [page, false] : [await newConversation(userId, `User ${number}`), true];
    }

    start().catch((error: unknown) => update({ notice: `This window could not be opened. ${String(error)}` }));
    return () => life.abort();
  }, [number, userId, startedAnew, onConversation, onActivities]);

  return chat;
}
