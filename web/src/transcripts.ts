// What the streams carried, for the inspector: every activity of every open window, as the server sent it.
import { useCallback, useState } from 'react';

import type { Activity } from './direct-line';

function isSame(seen: Activity | undefined, activity: Activity): boolean {
  return activity.id !== undefined && JSON.stringify(seen) === JSON.stringify(activity);
}

export type Transcripts = {
  record(conversationId: string, activities: Activity[]): void;
  /** Newest first. */
  of(conversationId: string | undefined): Activity[];
};

export function useTranscripts(): Transcripts {
  const [byConversation, setByConversation] = useState<ReadonlyMap<string, Activity[]>>(new Map());

  const record = useCallback((conversationId: string, activities: Activity[]) => {
    if (activities.length === 0) return;
    setByConversation(before => {
      const known = before.get(conversationId) ?? [];
      // After a reconnection the stream may begin with what has been seen. What was updated or deleted comes again under its
      // id, and is another activity.
      const seen = new Map(known.slice().reverse().map(activity => [activity.id, activity]));
      const fresh = activities.filter(activity => !isSame(seen.get(activity.id), activity)).reverse();
      return fresh.length === 0 ? before : new Map(before).set(conversationId, [...fresh, ...known]);
    });
  }, []);

  const of = useCallback(
    (conversationId: string | undefined) => (conversationId && byConversation.get(conversationId)) || [],
    [byConversation]
  );
  return { record, of };
}
