// Files that directlinejs uploads, in its own form: a part `activity` that announces them, and a part `file` for each.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { startWorld } from '../support/world.mjs';

const url = (type, bytes) => `data:${type};base64,${Buffer.from(bytes).toString('base64')}`;

for (const webSocket of [true, false]) {
  describe(`uploads by directlinejs over ${webSocket ? 'a WebSocket' : 'polling'}`, () => {
    let world;
    let client;
    before(async () => {
      world = await startWorld(undefined, { PROACT_DIRECTLINE_UPLOAD_BYTES: '500000' });
      const { token } = await world.token({ id: 'dl_ann', name: 'Ann' });
      client = world.open({ token, webSocket, user: 'dl_ann' });
      await client.online();
    });
    after(() => world.close());

    it('come back in the echo, each at its place, and can be fetched, also after the server was killed', async () => {
      const bytes = Uint8Array.from({ length: 100_000 }, (_, at) => at % 251);
      const id = await client.say('three files', {
        attachments: [
          { contentType: 'image/png', name: 'Grüße aus Köln.png', contentUrl: url('image/png', bytes), thumbnailUrl: url('image/png', [1]) },
          { contentType: 'text/plain', name: 'same.txt', contentUrl: url('text/plain', 'one') },
          // The client makes "same (1).txt" of it.
          { contentType: 'text/plain', name: 'same.txt', contentUrl: url('text/plain', 'two') }
        ]
      });
      const echo = await client.seesText('three files');
      assert.equal(echo.id, id);
      assert.equal(echo.from.id, 'dl_ann');
      const names = echo.attachments.map(({ name }) => name);
      assert.equal(names.length, 3);
      assert.deepEqual(names.slice(0, 2), ['Grüße aus Köln.png', 'same.txt']);
      assert.equal(new Set(names).size, 3);
      assert.equal(echo.attachments[0].thumbnailUrl, url('image/png', [1]));
      assert.ok(echo.attachments.every(({ contentUrl }) => contentUrl.startsWith(world.server.url)));

      for (const _ of ['before', 'after']) {
        const answers = await Promise.all(echo.attachments.map(({ contentUrl }) => fetch(contentUrl)));
        assert.deepEqual(answers.map(({ status }) => status), [200, 200, 200]);
        assert.equal(answers[0].headers.get('content-type'), 'image/png');
        const [first, ...texts] = await Promise.all(answers.map(answer => answer.arrayBuffer()));
        assert.ok(Buffer.from(first).equals(bytes), 'every byte');
        assert.deepEqual(texts.map(text => Buffer.from(text).toString()), ['one', 'two']);
        await Promise.all([world.server.kill9(), webSocket && client.socketClosed()]);
        await world.server.restart();
      }
    });

    it('are refused when they are too large, and nothing comes of them', async () => {
      const { token, conversationId } = await world.token({ id: 'dl_bob' });
      const other = world.open({ token, webSocket, user: 'dl_bob' });
      // Any large file that is at hand.
      const attachments = [{ contentType: 'text/javascript', name: 'large.js', contentUrl: `${world.server.url}/page.js` }];
      await assert.rejects(other.say('too much', { attachments }), ({ status, response }) => {
        assert.deepEqual([status, response.error.code], [413, 'MessageSizeTooBig']);
        return true;
      });
      const { body } = await world.call('GET', `/v3/directline/conversations/${conversationId}/activities`);
      assert.ok(!body.activities.some(({ text }) => text === 'too much'));
    });
  });
}
