// A channel of another kind than the page's own: people there talk to the bot, and it answers what it is told to, or not at all.
import { once } from 'node:events';
import { createServer } from 'node:http';

export async function startChannel() {
  const arrived = [];
  let answer = 200;
  let server = await listen(0);
  const { port } = server.address();
  const url = `http://127.0.0.1:${port}`;

  async function listen(port) {
    const opened = createServer(take).listen(port, '127.0.0.1');
    await once(opened, 'listening');
    return opened;
  }

  async function take(request, response) {
    const parts = [];
    for await (const part of request) parts.push(part);
    const activity = JSON.parse(Buffer.concat(parts).toString() || '{}');
    if (answer === 'drop') return request.socket.destroy();
    if (answer === 200) arrived.push(activity.text);
    const body = answer === 200 ? { id: String(arrived.length) } : { error: { code: 'Refused', message: 'Not like this.' } };
    response.writeHead(answer, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
  }

  return {
    url,
    /** What people there have seen, in its order. */
    arrived,
    /** From now on: a status, or `drop` for a connection that is lost after the request was read. */
    answers(what) {
      answer = what;
    },
    async down() {
      server.closeAllConnections();
      await new Promise(closed => server.close(closed));
    },
    async up() {
      server = await listen(port);
    },
    /** Somebody in a conversation there says something, so that the bot may write to it. */
    async say(proact, conversation, text = 'show') {
      const response = await fetch(`${proact.url}/api/messages`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({
          type: 'message',
          id: `${conversation}-${arrived.length}-${Date.now()}`,
          text,
          channelId: 'test',
          serviceUrl: url,
          from: { id: 'ann', name: 'Ann' },
          recipient: { id: 'bot', name: 'Bot' },
          conversation: { id: conversation }
        })
      });
      if (!response.ok) throw new Error(`the bot answered ${response.status}: ${await response.text()}`);
    },
    close: () => new Promise(closed => (server.listening ? server.close(closed) && server.closeAllConnections() : closed()))
  };
}

/** Accepts a notification as another program would; its id. */
export async function send(proact, conversation, text, more = {}) {
  const [channelId, id] = conversation;
  const response = await fetch(`${proact.url}/v1/notifications`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ conversation: { channelId, id }, text, ...more })
  });
  const body = await response.json();
  if (response.status !== 202) throw new Error(`not accepted: ${JSON.stringify(body)}`);
  return body.id;
}
