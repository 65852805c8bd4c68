// Callers and verifiers of tokens that others wrote, against a server with credentials.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, beforeEach, describe, it } from 'node:test';

import {
  AppCredentials,
  AuthenticationConfiguration,
  BotFrameworkAuthenticationFactory
} from 'botframework-connector';

import { startServer } from '../../web/test/support/server.mjs';
import { startBotbuilder } from '../bots/botbuilder.mjs';
import { LoopbackCredentialsFactory } from '../support/app-credentials.mjs';
import { startIdentityProvider } from '../support/identity-provider.mjs';
import { startWorld } from '../support/world.mjs';

const [OURS, PARENT, STRANGER] = [randomUUID(), randomUUID(), randomUUID()];
const SECRETS = { [OURS]: 'ours', [PARENT]: 'parents', [STRANGER]: 'strangers' };
// Nothing is sent there: every answer below is in its request's own.
const SERVICE_URL = 'http://127.0.0.1:9/';

/** The SDK's authentication of the bot `appId`, whose cloud is the test's provider. */
function authenticationOf(provider, appId, claimsOf) {
  return BotFrameworkAuthenticationFactory.create(
    '',
    true,
    `${provider.url}/botframework.com`,
    'https://api.botframework.com',
    'https://api.botframework.com',
    '',
    provider.channelMetadata,
    provider.loginMetadata,
    'urn:botframework:azure',
    new LoopbackCredentialsFactory(provider, appId, SECRETS[appId]),
    new AuthenticationConfiguration([], claimsOf)
  );
}

const settingsOf = (provider, more) => ({
  MicrosoftAppId: OURS,
  MicrosoftAppPassword: SECRETS[OURS],
  PROACT_TRUST_LOGIN_URL: provider.url,
  PROACT_TRUST_LOGIN_METADATA_URL: provider.loginMetadata,
  PROACT_TRUST_CHANNEL_METADATA_URL: provider.channelMetadata,
  PROACT_TRUST_CHANNELS: SERVICE_URL,
  ...more
});

const asked = text => ({
  type: 'message',
  id: randomUUID(),
  text,
  channelId: 'test',
  conversation: { id: 'c' },
  from: { id: 'parent' },
  recipient: { id: 'skill' },
  deliveryMode: 'expectReplies'
});

describe('a bot with credentials, as botframework-connector calls it', () => {
  let provider;
  let server;
  let to;
  before(async () => {
    provider = await startIdentityProvider(SECRETS);
    server = await startServer({ settings: settingsOf(provider, { PROACT_TRUST_EMULATOR: 'true', PROACT_TRUST_SKILLS: `${PARENT}=${SERVICE_URL}` }) });
    to = new URL('/api/messages', server.url).href;
  });
  after(async () => {
    await server?.close();
    await provider?.close();
  });
  // Tokens are kept by the SDK for the whole process.
  beforeEach(() => AppCredentials.cache.clear());

  const call = (from, activity, audience = OURS, serviceUrl = SERVICE_URL) =>
    authenticationOf(provider, from).createBotFrameworkClient().postActivity(from, audience, to, serviceUrl, 'c', activity);

  it('lets a listed bot use it as a skill, and answers it', async () => {
    const { status, body } = await call(PARENT, asked('run'));
    assert.equal(status, 200, JSON.stringify(body));
    assert.match(body.activities[0].text, /job 1/u);
    assert.deepEqual(provider.given.at(-1), { id: PARENT, audience: OURS });
  });

  it('lets in who has its own credentials, as the Emulator', async () => {
    const { status, body } = await call(OURS, asked('run'));
    assert.equal(status, 200, JSON.stringify(body));
  });

  it('refuses every other, in the shape that the library understands', async () => {
    const before = (await call(PARENT, asked('show'))).body;
    for (const [who, status, says] of [
      [() => call(STRANGER, asked('run')), 403, STRANGER],
      [() => call(PARENT, asked('run'), OURS, 'https://smba.trafficmanager.net/'), 403, 'serviceUrl'],
      [() => call(PARENT, asked('run'), STRANGER), 401, 'audience'],
      [() => call(PARENT, asked('run'), 'https://api.botframework.com'), 401, 'audience']
    ]) {
      AppCredentials.cache.clear();
      const said = await who();
      assert.equal(said.status, status);
      assert.ok(said.body.error.code && said.body.error.message.includes(says), JSON.stringify(said.body));
    }
    const anonymous = await fetch(to, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ ...asked('run'), serviceUrl: SERVICE_URL })
    });
    assert.equal(anonymous.status, 401);
    assert.equal(anonymous.headers.get('www-authenticate'), 'Bearer');
    assert.deepEqual((await call(PARENT, asked('show'))).body.activities[0].text, before.activities[0].text, 'no job was begun');
  });

  it('lets in a channel by its token, for its own service URL alone', async () => {
    const bearer = serviceurl => provider.sign({ iss: 'https://api.botframework.com', aud: OURS, serviceurl });
    const post = token =>
      fetch(to, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` },
        body: JSON.stringify({ ...asked('run'), serviceUrl: SERVICE_URL })
      });
    assert.equal((await post(bearer(SERVICE_URL))).status, 200);
    assert.equal((await post(bearer('http://127.0.0.1:8/'))).status, 403);
    // The same token is a channel's to the SDK: what is signed here is what it takes.
    const activity = { ...asked('run'), serviceUrl: SERVICE_URL };
    const taken = await authenticationOf(provider, OURS).authenticateRequest(activity, `Bearer ${bearer(SERVICE_URL)}`);
    assert.equal(taken.callerId, 'urn:botframework:azure');
  });
});

describe('a bot with credentials behind the channel, which verifies its tokens by botframework-connector', () => {
  let provider;
  let world;
  before(async () => {
    provider = await startIdentityProvider(SECRETS);
    const bot = () => startBotbuilder(authenticationOf(provider, OURS));
    world = await startWorld(bot, settingsOf(provider));
  });
  after(async () => {
    await world?.close();
    await provider?.close();
  });

  it('takes what the channel hands over, with a token for its own app id', async () => {
    const issued = await world.token({ id: 'dl_ann', name: 'Ann' });
    const client = world.open({ token: issued.token, user: 'dl_ann' });
    await client.online();
    await client.say('hello');
    await client.seesText('Echo: hello');
    assert.ok(provider.given.some(({ id, audience }) => id === OURS && audience === OURS), JSON.stringify(provider.given));
  });

  it('refuses the same without it', async () => {
    const response = await fetch(world.bot.url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ ...asked('hello'), serviceUrl: world.server.url })
    });
    assert.equal(response.status, 401);
  });
});
