// A WebSocket that tells when it opens and closes, and which activities the server sent, exactly as it sent them.
import type { Activity, LinkEvents } from './direct-line';

export function watchedSocket(events: Pick<LinkEvents, 'onOpen' | 'onBroken' | 'onActivities'>): typeof WebSocket {
  return class extends WebSocket {
    constructor(url: string | URL, protocols?: string | string[]) {
      super(url, protocols);
      this.addEventListener('open', () => events.onOpen());
      this.addEventListener('close', () => events.onBroken());
      this.addEventListener('message', ({ data }) => events.onActivities(activitiesOf(data)));
    }
  };
}

/** Frames are activity sets; an empty frame only keeps the stream alive. */
function activitiesOf(frame: unknown): Activity[] {
  if (typeof frame !== 'string' || frame === '') return [];
  const set = JSON.parse(frame) as { activities?: Activity[] };
  return set.activities ?? [];
}
