// The real botframework-directlinejs: a conversation over a WebSocket and over polling, tokens, and the death of the server.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { eventually } from '../support/eventually.mjs';
import { startWorld } from '../support/world.mjs';

const started = number => `We're starting job ${number} for you. We'll notify you when it's complete.`;
const complete = number => `Job ${number} is complete.`;
const FIFTEEN_MINUTES = 15 * 60 * 1000;
const RECONNECT_MS = 3000;

for (const webSocket of [true, false]) {
  describe(`directlinejs over ${webSocket ? 'a WebSocket' : 'polling'}`, () => {
    let world;
    before(async () => (world = await startWorld()));
    after(() => world.close());

    it('holds a conversation, and a message that another conversation causes arrives', async () => {
      const one = world.open({ secret: world.secret, webSocket, user: 'one' });
      const two = world.open({ secret: world.secret, webSocket, user: 'two' });
      const id = await one.say('run');
      const said = await one.seesText('run');
      assert.equal(said.id, id, 'the echo carries the id that the post was answered with');
      assert.equal(said.from.id, 'one');
      const reply = await one.seesText(started(1));
      assert.equal(reply.replyToId, id);
      assert.equal(reply.from.role, 'bot');

      await two.say('done 1');
      const message = await one.seesText(complete(1));
      assert.equal(message.replyToId, undefined, 'it answers nothing');
      assert.equal(one.count(complete(1)), 1);
      assert.equal(two.count(complete(1)), 0);
      assert.equal(one.sockets.length, webSocket ? 1 : 0);
    });

    it('refreshes its token every 15 minutes and goes on with the new one', async () => {
      const token = await world.token({ id: 'dl_refreshing', name: 'Ann' });
      const client = world.open({ token: token.token, webSocket, user: 'somebody-else' });
      await client.online();
      const refresh = () => client.requests.filter(({ url }) => url.endsWith('/tokens/refresh'));
      if (webSocket) await eventually(() => client.frames.length > 0, 'an open stream');
      client.clock.advance(FIFTEEN_MINUTES - 1);
      await client.say('show');
      assert.equal(refresh().length, 0);
      client.clock.advance(1);
      const [{ answer }] = await eventually(() => refresh().some(({ answer }) => answer) && refresh(), 'a new token');
      assert.equal(refresh().length, 1);
      assert.equal(client.line.token, answer.token);
      assert.equal(answer.conversationId, token.conversationId);
      assert.equal(answer.expires_in, 1800);

      await client.say('run');
      const post = client.requests.findLast(({ method, url }) => method === 'POST' && url.endsWith('/activities'));
      assert.equal(post.headers.Authorization, `Bearer ${answer.token}`);
      const said = await client.seesText('run');
      assert.equal(said.from.id, 'dl_refreshing', "the token's person speaks, whoever the activity names");
      if (webSocket) {
        assert.ok(client.sockets[0].pings >= 44, 'a ping every 20 s, and the stream took them all');
        assert.equal(client.sockets.length, 1);
      }
    });

    it('is told that its token is not good, and its conversation unknown', async () => {
      const { conversationId } = await world.token({ id: 'dl_u' });
      const stranger = world.open({ token: 'no-such-token', conversationId, webSocket, user: 'u' });
      await assert.rejects(stranger.say('hello'));
      const lost = world.open({ secret: world.secret, conversationId: 'nobody-knows-me', webSocket, user: 'u' });
      await assert.rejects(lost.say('hello'));
      assert.deepEqual([stranger.requests, lost.requests].map(([{ failed }]) => failed), [403, 404]);
      assert.deepEqual([stranger.statuses.at(-1), lost.statuses.at(-1)], ['FailedToConnect', 'FailedToConnect']);
    });
  });
}

describe('directlinejs and a server that dies', () => {
  let world;
  before(async () => (world = await startWorld()));
  after(() => world.close());

  it('reconnects its stream by itself, and no message is lost or shown twice', async () => {
    const token = await world.token({ id: 'dl_survivor' });
    const client = world.open({ token: token.token, user: 'dl_survivor' });
    const other = world.open({ secret: world.secret, user: 'other' });
    const posted = [];
    let jobs = 0;
    for (let round = 1; round <= 3; round += 1) {
      posted.push(await client.say('run'), await client.say('run'));
      jobs += 2;
      await client.seesText(started(jobs));

      // Answered, and the message that it causes is still to be delivered when the process dies.
      await other.say(`done ${jobs - 1}`);
      await Promise.all([world.server.kill9(), client.socketClosed(), other.socketClosed()]);
      await world.server.restart();
      client.clock.advance(RECONNECT_MS);
      other.clock.advance(RECONNECT_MS);
      await client.seesText(complete(jobs - 1));
    }
    posted.push(await client.say('show'));
    await client.sees(({ replyToId }) => replyToId === posted.at(-1), 'an answer to the last message');

    const seen = new Map();
    for (const activity of client.activities) {
      assert.deepEqual(seen.get(activity.id) ?? activity, activity, 'what comes twice is the same');
      seen.set(activity.id, activity);
    }
    for (const id of posted) assert.ok(seen.has(id), `what was posted comes back: ${id}`);
    for (let job = 1; job <= jobs; job += 1) {
      assert.equal(client.count(started(job)), 1);
      assert.equal(client.count(complete(job)), job % 2);
    }
    const history = await world.call('GET', `/v3/directline/conversations/${token.conversationId}/activities`);
    const ids = history.body.activities.map(({ id }) => id);
    assert.deepEqual([...seen.keys()].sort(), ids, 'the whole history');
    const carried = client.frames.flatMap(({ activities }) => activities.map(({ id }) => id));
    assert.deepEqual([...new Set(carried)], ids, 'in its order');
    assert.equal(client.sockets.length, 4);
    assert.deepEqual(client.statuses.at(-1), 'Online');
  });

  it('is told to retry a post while the server is away', async () => {
    const client = world.open({ secret: world.secret, user: 'patient' });
    await client.say('run');
    await world.server.kill9();
    assert.equal(await client.post({ type: 'message', text: 'show' }), 'retry');
    await client.socketClosed();
    await world.server.restart();
    client.clock.advance(RECONNECT_MS);
    const id = await client.say('show');
    await client.sees(({ replyToId }) => replyToId === id);
    assert.equal(client.count('show'), 1, 'what never arrived was not taken');
  });
});
