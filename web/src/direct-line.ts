// One window's connection: the real botframework-directlinejs, watched and made patient.
//
// It reconnects by itself when its stream breaks, but does not say so (its status stays online), asks once and then waits 20
// seconds before it asks again, and cannot go on when its token has expired. It lets its user bring the socket, the requests
// and the chance, and that is enough: the socket tells when the stream opens, breaks and what it carries, a request that may
// be repeated is repeated every second, and one that is refused for its token is sent again with a new one.
import { DirectLine, type DirectLineOptions, type Services } from 'botframework-directlinejs';

import type { PageToken } from './page-token';
import { patientAjax } from './patient-ajax';
import { watchedSocket } from './watched-socket';

export type Activity = { id?: string; type: string } & Record<string, unknown>;

export type LinkEvents = {
  onOpen(): void;
  onBroken(): void;
  onActivities(activities: Activity[]): void;
  /** The server does not know the conversation any more. */
  onGone(): void;
};

/** `replay`: the conversation exists, and its history is to be shown from the start. */
export function openLink(page: PageToken, replay: boolean, events: LinkEvents): DirectLine {
  const options: DirectLineOptions & Partial<Services> = {
    domain: `${location.origin}/v3/directline`,
    token: page.token,
    ajax: patientAjax(page, events.onGone),
    WebSocket: watchedSocket(events),
    random: briefly
  };
  // With a conversation it is continued (GET conversations/{id}) and not started; the watermark makes the stream begin with
  // the history, so that each activity comes once, over one way.
  return new DirectLine(replay ? { ...options, conversationId: page.conversationId, watermark: '0' } : options);
}

/** The pause before reconnecting is 3 s plus 12 s times this; the long form spreads a crowd, and this server has none. */
function briefly(): number {
  return Math.random() / 12;
}
