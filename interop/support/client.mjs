// The real botframework-directlinejs, with a browser's XMLHttpRequest, WebSocket, FormData and Blob around it (jsdom), and a
// clock of its own that the test moves.
import { once } from 'node:events';
import { JSDOM, VirtualConsole } from 'jsdom';

import { HandClock, schedulerOf } from './hand-clock.mjs';
import { eventually } from './eventually.mjs';

/** directlinejs looks these up on the global object when it is used, and jsdom ties them to one origin. */
export async function browserAt(url) {
  const { window } = new JSDOM('', { url, virtualConsole: new VirtualConsole() });
  for (const name of ['XMLHttpRequest', 'WebSocket', 'FormData', 'Blob', 'File']) globalThis[name] = window[name];
  const { DirectLine, ConnectionStatus } = await import('botframework-directlinejs');
  const { Observable } = await import('rxjs/Observable.js');
  await import('rxjs/add/observable/dom/ajax.js');

  return {
    ConnectionStatus,
    /** Opens a line; `user` is who speaks over it. */
    open({ server, user, ...options }) {
      const clock = new HandClock();
      const requests = [];
      const sockets = [];
      const frames = [];
      const ajax = request => {
        requests.push(request);
        // Without its time limit: jsdom lets the timer of a request that failed run on, and the process with it.
        return Observable.ajax({ ...request, timeout: 0 }).do(
          ({ response }) => (request.answer = response),
          ({ status }) => (request.failed = status)
        );
      };
      class Watched extends window.WebSocket {
        constructor(address) {
          super(address);
          this.pings = 0;
          sockets.push(this);
          this.addEventListener('message', ({ data }) => data && frames.push(JSON.parse(data)));
        }
        send(text) {
          if (text === '') this.pings += 1;
          super.send(text);
        }
      }
      const line = new DirectLine({
        domain: `${server.url}/v3/directline`,
        scheduler: schedulerOf(clock),
        ajax,
        WebSocket: Watched,
        random: () => 0,
        pollingInterval: 200,
        ...options
      });
      const activities = [];
      const statuses = [];
      const errors = [];
      const subscriptions = [
        line.activity$.subscribe(activity => activities.push(activity), error => errors.push(error)),
        line.connectionStatus$.subscribe(status => statuses.push(ConnectionStatus[status]))
      ];
      const from = typeof user === 'string' ? { id: user } : user;

      return {
        line,
        clock,
        requests,
        sockets,
        /** What the sockets carried, in order; directlinejs may mix the activities of two frames. */
        frames,
        activities,
        statuses,
        errors,
        online: () => eventually(() => statuses.includes('Online'), 'the client is online'),
        /** Posts an activity and resolves to what directlinejs makes of the answer: its id, or "retry". */
        post: activity => line.postActivity({ from, ...activity }).toPromise(),
        /** Says something that the bot is to take. */
        async say(text, more = {}) {
          const id = await this.post({ type: 'message', text, ...more });
          if (id === 'retry') throw new Error(`not taken: ${text}`);
          return id;
        },
        /** The first activity that fits, now or later. */
        async sees(fits, what = String(fits)) {
          await eventually(() => activities.some(fits), `an activity: ${what}`);
          return activities.find(fits);
        },
        seesText(text) {
          return this.sees(activity => activity.text === text, JSON.stringify(text));
        },
        count: text => new Set(activities.filter(activity => activity.text === text).map(({ id }) => id)).size,
        async socketClosed() {
          const socket = sockets.at(-1);
          if (socket.readyState < 2) await once(socket, 'close');
        },
        close() {
          line.end();
          for (const subscription of subscriptions) subscription.unsubscribe();
        }
      };
    },
    close: () => window.close()
  };
}
