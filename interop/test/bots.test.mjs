// Bots on Microsoft's two SDKs behind our channel (`--bot-url`), unchanged and without credentials.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { startAgents } from '../bots/agents.mjs';
import { PICTURE } from '../bots/behaviour.mjs';
import { startBotbuilder } from '../bots/botbuilder.mjs';
import { startWorld } from '../support/world.mjs';

for (const [sdk, startBot] of [['botbuilder', startBotbuilder], ['@microsoft/agents-hosting', startAgents]]) {
  describe(`a bot on ${sdk}`, () => {
    let world;
    let client;
    let conversation;
    before(async () => {
      world = await startWorld(startBot);
      const { token, conversationId } = await world.token({ id: 'dl_ann', name: 'Ann' });
      client = world.open({ token, user: 'dl_ann' });
      conversation = conversationId;
      await client.online();
    });
    after(() => world.close());

    /** What the bot was handed last of this type. */
    const handed = type => world.bot.seen.findLast(activity => activity.type === type);

    it('welcomes who joins, by name', async () => {
      const hello = await client.seesText('Hello, Ann.');
      assert.equal(hello.from.role, 'bot');
      assert.equal(client.count('Hello, Ann.'), 1);
    });

    it('answers a message', async () => {
      const channelData = { mine: { deep: [1, 2.5, 'x'] } };
      const id = await client.say('Good morning', { channelData, locale: 'de-AT' });
      const echo = await client.seesText('Echo: Good morning');
      assert.equal(echo.replyToId, id);
      assert.equal(echo.conversation.id, conversation);
      const { serviceUrl, channelId, recipient, from, ...message } = handed('message');
      assert.equal(serviceUrl, `${world.server.url}/`);
      assert.equal(channelId, 'directline');
      assert.deepEqual([recipient.id, from.id, from.name], ['bot', 'dl_ann', 'Ann']);
      assert.deepEqual([message.id, message.text, message.locale], [id, 'Good morning', 'de-AT']);
      assert.deepEqual(message.channelData, channelData);
    });

    it('answers an invoke: what it can, and what it cannot', async () => {
      const id = await client.post({ type: 'invoke', name: 'double', value: { number: 21 } });
      assert.match(id, /\|/u);
      assert.deepEqual(handed('invoke').value, { number: 21 });
      assert.equal(await client.post({ type: 'invoke', name: 'unknown' }), 'retry', 'the bot answers 501');
    });

    it('is told of an event', async () => {
      await client.post({ type: 'event', name: 'jobCompleted', value: 5 });
      assert.deepEqual([handed('event').name, handed('event').value], ['jobCompleted', 5]);
    });

    it('updates what it said, and deletes it', async () => {
      await client.say('note');
      const note = await client.seesText('A note, as it was first');
      await client.say('change');
      const changed = await client.seesText('A note, changed');
      assert.equal(changed.id, note.id);
      assert.equal(changed.timestamp, note.timestamp, 'it stays where it was');
      await client.say('erase');
      const gone = await client.sees(({ type, id }) => type === 'messageDelete' && id === note.id);
      assert.equal(gone.text, undefined);

      const { body } = await world.call('GET', `/v3/directline/conversations/${conversation}/activities`);
      const left = body.activities.filter(({ id }) => id === note.id);
      assert.deepEqual(left.map(({ type }) => type), ['messageDelete'], 'who comes later meets only the deletion');
    });

    it('is handed a file that a person uploads, and fetches it', async () => {
      await client.say('Look', {
        attachments: [
          { contentType: 'text/plain', name: 'a file.txt', contentUrl: 'data:text/plain,hello' },
          { contentType: 'image/png', name: 'pixel.png', contentUrl: `data:image/png;base64,${PICTURE}` }
        ]
      });
      const received = await client.sees(({ text }) => text?.startsWith('Received '));
      assert.match(received.text, /a file\.txt \(text\/plain, text\/plain.*, 200\): 68656c6c6f\b/u);
      const png = Buffer.from(PICTURE, 'base64').toString('hex');
      assert.ok(received.text.includes(`pixel.png (image/png, image/png, 200): ${png}`), received.text);
      const own = await client.seesText('Look');
      assert.deepEqual(own.attachments.map(({ name }) => name), ['a file.txt', 'pixel.png']);
      assert.equal(handed('message').text, 'Look');
    });

    it('sends a picture that it stored in the channel', async () => {
      await client.say('picture');
      const { attachments } = await client.seesText('A picture');
      const answer = await fetch(attachments[0].contentUrl);
      assert.equal(answer.headers.get('content-type'), 'image/png');
      assert.equal(Buffer.from(await answer.arrayBuffer()).toString('base64'), PICTURE);
    });

    it('knows the members', async () => {
      await client.say('members');
      const { text } = await client.sees(({ text }) => text?.startsWith('Members: '));
      assert.match(text, /Ann \(dl_ann\)/u);
      if (sdk !== 'botbuilder') assert.match(text, /Proact \(bot\)/u);
    });

    it('sends cards and suggested actions whole', async () => {
      await client.say('hero');
      const hero = await client.sees(({ attachments }) => attachments?.[0]?.contentType === 'application/vnd.microsoft.card.hero');
      assert.deepEqual(hero.attachments[0].content.buttons[1], {
        type: 'messageBack',
        title: 'Send it',
        text: 'sent by a button',
        displayText: 'Shown instead',
        value: { button: 2 }
      });
      await client.say('suggest');
      const question = await client.seesText('What may it be?');
      assert.deepEqual(question.suggestedActions.actions.map(({ value }) => value), ['Tea', 'Coffee']);
      await client.post({ type: 'message', text: '', value: { action: 'confirm' } });
      await client.seesText('Submitted: {"action":"confirm"}');
    });

    it('types, on the stream only', async () => {
      await client.say('typing');
      const typing = await client.sees(({ type, from }) => type === 'typing' && from.role === 'bot');
      const { body } = await world.call('GET', `/v3/directline/conversations/${conversation}/activities`);
      assert.ok(!body.activities.some(({ id, type }) => id === typing.id || type === 'typing'));
    });

    it('writes first, by a reference that it stored; also to a server that was killed since', async () => {
      await client.say('remember me');
      await client.seesText('I shall write to you.');
      const reference = world.bot.reference(conversation);
      await world.bot.write(reference, 'The tea is ready.');
      await client.seesText('The tea is ready.');

      await Promise.all([world.server.kill9(), client.socketClosed()]);
      await world.server.restart();
      await world.bot.write(reference, 'The tea is cold.');
      client.clock.advance(3000);
      await client.seesText('The tea is cold.');
      assert.equal(client.count('The tea is cold.'), 1);
    });

    // The other SDK creates conversations with credentials only.
    it('begins a conversation', { skip: sdk !== 'botbuilder' }, async () => {
      const id = await world.bot.begin(`${world.server.url}/`, { id: 'dl_eve', name: 'Eve' }, 'Good morning, Eve.');
      const eve = world.open({ secret: world.secret, conversationId: id, watermark: '0', user: 'dl_eve' });
      await eve.seesText('Good morning, Eve.');
      await eve.say('Who is there?');
      await eve.seesText('Echo: Who is there?');
    });

    it('hears that a conversation has ended', async () => {
      const other = world.open({ secret: world.secret, user: 'brief' });
      await other.say('hello');
      await other.post({ type: 'endOfConversation' });
      assert.equal(handed('endOfConversation').from.id, 'brief');
    });
  });
}
