// The connector routes, called by the client libraries of Microsoft's two SDKs.
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { text } from 'node:stream/consumers';

import { ConnectorClient as AgentsClient } from '@microsoft/agents-hosting';
import { ConnectorClient as BotbuilderClient, MicrosoftAppCredentials } from 'botframework-connector';

import { startBotbuilder } from '../bots/botbuilder.mjs';
import { startWorld } from '../support/world.mjs';

const message = text => ({ type: 'message', text, from: { id: 'bot' } });

describe('the connector, as botframework-connector calls it', () => {
  let world;
  let client;
  let conversation;
  let conversations;
  let attachments;
  before(async () => {
    world = await startWorld(startBotbuilder);
    ({ conversations, attachments } = new BotbuilderClient(new MicrosoftAppCredentials('', ''), { baseUri: world.server.url }));
  });
  after(() => world.close());
  beforeEach(async () => {
    const issued = await world.token({ id: 'dl_ann', name: 'Ann' });
    conversation = issued.conversationId;
    client = world.open({ token: issued.token, user: 'dl_ann' });
    await client.online();
  });

  it('sends, replies, updates and deletes', async () => {
    const said = await client.say('hello');
    const { id } = await conversations.sendToConversation(conversation, message('sent'));
    assert.equal((await client.seesText('sent')).id, id);
    const reply = await conversations.replyToActivity(conversation, said, message('replied'));
    const replied = await client.seesText('replied');
    assert.deepEqual([replied.id, replied.replyToId], [reply.id, said]);

    assert.equal((await conversations.updateActivity(conversation, id, message('sent anew'))).id, id);
    assert.equal((await client.seesText('sent anew')).id, id);
    await conversations.deleteActivity(conversation, id);
    await client.sees(activity => activity.type === 'messageDelete' && activity.id === id);
  });

  it('refuses what cannot be, in the shape that the library understands', async () => {
    const said = await client.say('hello');
    const refused = status => error => {
      assert.equal(error.statusCode, status);
      assert.ok(error.details.error.code && error.details.error.message, JSON.stringify(error.details));
      return true;
    };
    await assert.rejects(conversations.sendToConversation('nobody-knows-me', message('x')), refused(404));
    await assert.rejects(conversations.updateActivity(conversation, `${conversation}|9999999`, message('x')), refused(404));
    await assert.rejects(conversations.deleteActivity(conversation, `${conversation}|9999999`), refused(404));
    await assert.rejects(conversations.updateActivity(conversation, said, message('x')), refused(403), "a person's own words");
    await assert.rejects(conversations.getConversationMembers('nobody-knows-me'), refused(404));
    await assert.rejects(conversations.getConversationMember(conversation, 'nobody'), refused(404));
    await assert.rejects(attachments.getAttachmentInfo('no-such-file'), refused(404));
    await assert.rejects(attachments.getAttachment('no-such-file', 'original'), refused(404));
  });

  it('lists members, at once, in pages and of an activity; and lets one go', async () => {
    const said = await client.say('hello');
    for (const user of ['bob', 'cleo', 'dora']) {
      const body = { type: 'message', text: 'hi', from: { id: user, name: user.toUpperCase() } };
      assert.equal((await world.call('POST', `/v3/directline/conversations/${conversation}/activities`, { body })).status, 200);
    }
    const all = await conversations.getConversationMembers(conversation);
    const people = all.filter(({ id }) => id !== 'bot');
    assert.deepEqual(people.map(({ id, name }) => [id, name]).sort(), [
      ['bob', 'BOB'],
      ['cleo', 'CLEO'],
      ['dl_ann', 'Ann'],
      ['dora', 'DORA']
    ]);

    const paged = [];
    let continuationToken;
    let pages = 0;
    do {
      const page = await conversations.getConversationPagedMembers(conversation, { pageSize: 2, continuationToken });
      assert.ok(page.members.length <= 2);
      paged.push(...page.members);
      ({ continuationToken } = page);
      pages += 1;
    } while (continuationToken);
    assert.ok(pages >= 2);
    assert.deepEqual(paged.map(({ id }) => id).sort(), all.map(({ id }) => id).sort());

    const ofActivity = await conversations.getActivityMembers(conversation, said);
    assert.ok(ofActivity.some(({ id }) => id === 'dl_ann'));
    assert.equal((await conversations.getConversationMember(conversation, 'cleo')).name, 'CLEO');
    await conversations.deleteConversationMember(conversation, 'cleo');
    const left = await conversations.getConversationMembers(conversation);
    assert.deepEqual(left.map(({ id }) => id).sort(), all.map(({ id }) => id).filter(id => id !== 'cleo').sort());
  });

  it('takes a history that happened elsewhere', async () => {
    const activities = [
      { type: 'message', text: 'long ago', from: { id: 'dl_ann' }, timestamp: new Date('2020-01-01T10:00:00Z') },
      { type: 'message', text: 'not so long ago', from: { id: 'bot' }, timestamp: new Date('2020-01-01T10:00:05Z') }
    ];
    await conversations.sendConversationHistory(conversation, { activities });
    await client.seesText('not so long ago');
    const past = await client.seesText('long ago');
    assert.equal(past.from.id, 'dl_ann');
    assert.ok(!world.bot.seen.some(({ text }) => text === 'long ago'), 'the bot is not handed it');
  });

  it('creates a conversation, with a first message', async () => {
    const created = await conversations.createConversation({
      isGroup: false,
      bot: { id: 'bot', name: 'Proact' },
      members: [{ id: 'dl_eve', name: 'Eve' }],
      activity: message('You were not expecting me.'),
      channelData: {},
      tenantId: undefined,
      topicName: undefined
    });
    assert.ok(created.id && created.activityId);
    const eve = world.open({ secret: world.secret, conversationId: created.id, watermark: '0', user: 'dl_eve' });
    const first = await eve.seesText('You were not expecting me.');
    assert.equal(first.id, created.activityId);
    await eve.say('Indeed');
    await eve.seesText('Echo: Indeed');
    const known = (await conversations.getConversationMembers(created.id)).map(({ id }) => id);
    assert.ok(known.includes('dl_eve'), known.join());
  });

  it('lists the conversations', async () => {
    const ids = [];
    let continuationToken;
    do {
      const page = await conversations.getConversations({ continuationToken });
      ids.push(...page.conversations.map(({ id }) => id));
      ({ continuationToken } = page);
    } while (continuationToken);
    assert.ok(ids.includes(conversation));
    assert.equal(new Set(ids).size, ids.length);
  });

  it('keeps attachments and gives them back', async () => {
    const { id } = await conversations.uploadAttachment(conversation, {
      type: 'text/plain',
      name: 'a note.txt',
      originalBase64: Buffer.from('the whole note'),
      thumbnailBase64: Buffer.from('the note')
    });
    const info = await attachments.getAttachmentInfo(id);
    assert.deepEqual([info.name, info.type], ['a note.txt', 'text/plain']);
    assert.deepEqual(info.views.map(({ viewId, size }) => [viewId, size]).sort(), [['original', 14], ['thumbnail', 8]]);
    for (const [view, content] of [['original', 'the whole note'], ['thumbnail', 'the note']]) {
      const { readableStreamBody, blobBody } = await attachments.getAttachment(id, view);
      assert.equal(readableStreamBody ? await text(readableStreamBody) : await (await blobBody).text(), content);
    }
  });
});

describe('the connector, as @microsoft/agents-hosting calls it', () => {
  let world;
  let client;
  let conversation;
  let connector;
  before(async () => {
    world = await startWorld(startBotbuilder);
    connector = AgentsClient.createClientWithToken(world.server.url, '');
    const issued = await world.token({ id: 'dl_ann', name: 'Ann' });
    conversation = issued.conversationId;
    client = world.open({ token: issued.token, user: 'dl_ann' });
    await client.online();
  });
  after(() => world.close());

  it('sends, replies, updates and deletes', async () => {
    const said = await client.say('hello');
    const { id } = await connector.sendToConversation(conversation, message('sent'));
    assert.equal((await client.seesText('sent')).id, id);
    const reply = await connector.replyToActivity(conversation, said, message('replied'));
    const replied = await client.seesText('replied');
    assert.deepEqual([replied.id, replied.replyToId], [reply.id, said]);
    // This library puts ids into the path as they are, with their bar.
    assert.equal((await connector.updateActivity(conversation, id, message('sent anew'))).id, id);
    assert.equal((await client.seesText('sent anew')).id, id);
    await connector.deleteActivity(conversation, id);
    await client.sees(activity => activity.type === 'messageDelete' && activity.id === id);
    await assert.rejects(connector.updateActivity(conversation, id, message('too late')), error => error.response.status === 404);
  });

  it('knows a member, and lists the conversations', async () => {
    const member = await connector.getConversationMember('dl_ann', conversation);
    assert.deepEqual([member.id, member.name], ['dl_ann', 'Ann']);
    const { conversations } = await connector.getConversations();
    assert.ok(conversations.some(({ id }) => id === conversation));
  });

  it('creates a conversation', async () => {
    const created = await connector.createConversation({
      isGroup: false,
      bot: { id: 'bot' },
      members: [{ id: 'dl_eve' }],
      activity: message('You were not expecting me.')
    });
    const { body } = await world.call('GET', `/v3/directline/conversations/${created.id}/activities`);
    assert.deepEqual(body.activities.map(({ id, text }) => [id, text]), [[created.activityId, 'You were not expecting me.']]);
  });

  it('keeps attachments and gives them back', async () => {
    const originalBase64 = Buffer.from('the whole note').toString('base64');
    const { id } = await connector.uploadAttachment(conversation, { type: 'text/plain', name: 'a note.txt', originalBase64 });
    const info = await connector.getAttachmentInfo(id);
    assert.deepEqual([info.name, info.type, info.views.length], ['a note.txt', 'text/plain', 1]);
    assert.equal(await text(await connector.getAttachment(id, 'original')), 'the whole note');
  });
});
