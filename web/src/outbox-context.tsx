// What operates the outbox, for every part of the page that offers it.
import { createContext, useContext } from 'react';

import type { Filter } from './api/notifications';
import { isSame, pause, resume, type ConversationKey, type Pause, type Scope, type Status } from './api/outbox';
import type { Resources } from './resources';

export type Outbox = {
  status: Status | undefined;
  filter: Filter;
  setFilter(filter: Filter): void;
  /** Everybody the page knows of. */
  conversations: ConversationKey[];
  meet(): void;
  /** The pause of this very scope, if there is one. */
  paused(scope: Scope): Pause | undefined;
  pause(scope: Scope, reason: string): Promise<void>;
  resume(scope: Scope): Promise<void>;
  /** Shows a notification's story, wherever it stands. */
  open(id: string): Promise<void>;
};

const Context = createContext<Outbox | undefined>(undefined);
export const OutboxProvider = Context.Provider;

export function useOutbox(): Outbox {
  const outbox = useContext(Context);
  if (!outbox) throw new Error('there is no outbox around this');
  return outbox;
}

export function outboxOf(resources: Resources, open: Outbox['open']): Outbox {
  const { status, filter, setFilter, conversations, meet, reloadStatus } = resources;
  return {
    status,
    filter,
    setFilter,
    conversations,
    meet,
    paused: scope => status?.pauses.find(pause => isSame(pause, scope)),
    async pause(scope, reason) {
      await pause(scope, reason);
      await reloadStatus();
    },
    async resume(scope) {
      await resume(scope);
      await reloadStatus();
    },
    open
  };
}
