// directlinejs says "retry" when it does not know whether a post was taken. Sent again under the client's own id for it, it is
// taken once.
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';

import { startBotbuilder } from '../bots/botbuilder.mjs';
import { eventually } from '../support/eventually.mjs';
import { startWorld } from '../support/world.mjs';

describe('a post that is sent again', () => {
  let world;
  let client;
  let conversation;
  let number = 0;
  before(async () => (world = await startWorld(startBotbuilder)));
  after(() => world.close());
  beforeEach(async () => {
    const issued = await world.token({ id: 'dl_ann', name: 'Ann' });
    conversation = issued.conversationId;
    client = world.open({ token: issued.token, user: 'dl_ann' });
    await client.seesText('Hello, Ann.');
  });

  const post = text => ({ type: 'message', text, channelData: { clientActivityID: `post-${(number += 1)}` } });
  const handed = text => world.bot.seen.filter(activity => activity.text === text);
  async function history(text) {
    const { body } = await world.call('GET', `/v3/directline/conversations/${conversation}/activities`);
    return body.activities.filter(activity => activity.text === text);
  }
  /** Once in the history, on the stream and with the bot, which has answered it once. */
  async function once(id, text) {
    await client.seesText(`Echo: ${text}`);
    assert.deepEqual((await history(text)).map(activity => activity.id), [id]);
    assert.equal((await history(`Echo: ${text}`)).length, 1);
    assert.equal(client.count(text), 1);
    assert.deepEqual([...new Set(handed(text).map(activity => activity.id))], [id]);
  }

  it('after the bot failed, reaches the bot then', async () => {
    const activity = post('once more');
    world.bot.instead(response => response.writeHead(500).end());
    assert.equal(await client.post(activity), 'retry');
    const id = await client.post(activity);
    await once(id, 'once more');
    assert.equal(handed('once more').length, 2, 'once in vain');
  });

  it('although it had been taken, is answered as before', async () => {
    const activity = post('twice');
    const id = await client.post(activity);
    assert.equal(await client.post(activity), id);
    await once(id, 'twice');
    assert.equal(handed('twice').length, 1);
  });

  it('while the bot has it in hand, waits for the same answer', async () => {
    const activity = post('at once');
    const held = deferred();
    world.bot.instead(held.resolve);
    const posts = [client.post(activity)];
    const response = await held.promise;
    posts.push(client.post(activity));
    await eventually(() => client.requests.filter(({ body }) => body === activity || body?.text === 'at once').length === 2, 'two posts');
    response.writeHead(200).end();
    const [first, second] = await Promise.all(posts);
    assert.equal(first, second);
    assert.equal(handed('at once').length, 1);
    assert.deepEqual((await history('at once')).map(({ id }) => id), [first]);
  });

  it('after the server died with it in hand, is there once', async () => {
    const activity = post('in the dark');
    const held = deferred();
    world.bot.instead(held.resolve);
    const lost = client.post(activity);
    await held.promise;
    await Promise.all([world.server.kill9(), client.socketClosed()]);
    assert.equal(await lost, 'retry');
    await world.server.restart();
    client.clock.advance(3000);
    const id = await client.post(activity);
    await once(id, 'in the dark');
    assert.equal(client.count('Echo: in the dark'), 1);
  });

  it('is another one under another id', async () => {
    const ids = [await client.post(post('again')), await client.post(post('again'))];
    assert.notEqual(ids[0], ids[1]);
    assert.deepEqual((await history('again')).map(({ id }) => id), ids);
  });

  it('with a file, is taken once with its file', async () => {
    const file = { contentType: 'text/plain', name: 'note.txt', contentUrl: 'data:text/plain,hello' };
    const activity = { ...post('a note'), attachments: [file] };
    const id = await client.post(activity);
    assert.equal(await client.post(activity), id);
    const [{ attachments }, ...more] = await history('a note');
    assert.deepEqual([attachments.length, more.length], [1, 0]);
    assert.equal(await (await fetch(attachments[0].contentUrl)).text(), 'hello');
    assert.equal(handed('a note').length, 1);
  });
});

function deferred() {
  let resolve;
  const promise = new Promise(done => (resolve = done));
  return { promise, resolve };
}
