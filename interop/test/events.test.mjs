// cloudevents and standardwebhooks, as senders to /v1/events of a server that takes nobody without a key.
import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';

import { CloudEvent, HTTP } from 'cloudevents';
import { Webhook } from 'standardwebhooks';

import { startServer } from '../../web/test/support/server.mjs';
import { eventually } from '../support/eventually.mjs';

const secret = randomUUID();
const signing = `whsec_${randomBytes(32).toString('base64')}`;
const old = `whsec_${randomBytes(24).toString('base64')}`;
const config = `
[http]
require_key = "always"
[events.senders.ci]
secrets = ["${signing}", "${old}"]
kinds = ["job"]
`;

describe('/v1/events', () => {
  let server;
  let key;
  let conversation;
  let jobs = 0;
  before(async () => {
    server = await startServer({ config, settings: { PROACT_DIRECTLINE_SECRET: secret } });
    key = JSON.parse(await server.run('keys', 'create', 'ci', '--allow', 'complete,read', '--json')).key;
    conversation = (await directLine('POST', 'conversations', {})).conversationId;
  });
  after(() => server.close());

  async function directLine(method, path, body) {
    const headers = { Authorization: `Bearer ${secret}`, 'Content-Type': 'application/json' };
    const response = await fetch(`${server.url}/v3/directline/${path}`, { method, headers, body: body && JSON.stringify(body) });
    assert.ok(response.ok, `${path}: ${response.status}`);
    return response.json();
  }
  /** A new job of the conversation, by its number. */
  async function run() {
    await directLine('POST', `conversations/${conversation}/activities`, { type: 'message', text: 'run', from: { id: 'ann' } });
    return (jobs += 1);
  }
  async function hears(text) {
    await eventually(async () => {
      const { activities } = await directLine('GET', `conversations/${conversation}/activities`);
      return activities.some(activity => activity.text === text);
    }, text);
  }
  const told = (type, job, data) => new CloudEvent({ source: '/ci/reports', type: `com.proact.job.${type}`, subject: `${job}`, data });

  async function post({ headers, body }, more = { Authorization: `Bearer ${key}` }) {
    const response = await fetch(`${server.url}/v1/events`, { method: 'POST', headers: { ...headers, ...more }, body });
    return { status: response.status, body: await response.json() };
  }
  const signed = (body, by = signing, id = `msg_${randomUUID()}`, at = new Date()) => ({
    'webhook-id': id,
    'webhook-timestamp': `${Math.floor(at / 1000)}`,
    'webhook-signature': new Webhook(by).sign(id, at, body)
  });

  it('takes what cloudevents sends in structured mode', async () => {
    const job = await run();
    const event = HTTP.structured(told('completed', job, { message: 'Your report is there.' }));
    const first = await post(event);
    assert.deepEqual(first, { status: 200, body: { job, state: 'succeeded' } });
    assert.deepEqual(await post(event), first, 'sent again, it is answered and does nothing');
    await hears('Your report is there.');
  });

  it('takes what cloudevents sends in binary mode', async () => {
    const job = await run();
    assert.deepEqual((await post(HTTP.binary(told('progress', job, { percent: 40, text: 'läuft' })))).body, { job, state: 'running' });
    await hears(`Job ${job}: 40 % – läuft`);
    const { body } = await post(HTTP.binary(told('failed', job, { reason: 'the disk is full' })));
    assert.deepEqual(body, { job, state: 'failed' });
    await hears(`Job ${job} failed: the disk is full`);
  });

  it('takes a batch of its events, each for itself', async () => {
    const [one, two] = [await run(), await run()];
    const body = JSON.stringify([told('completed', one, {}), told('completed', 999, {}), told('completed', two, {})]);
    const answer = await post({ headers: { 'content-type': 'application/cloudevents-batch+json' }, body });
    assert.deepEqual(answer.body.results.map(({ status }) => status), [200, 404, 200]);
    await hears(`Job ${two} is complete.`);
  });

  it('believes what standardwebhooks signs, with each secret of its sender', async () => {
    for (const by of [signing, old]) {
      const job = await run();
      const event = HTTP.structured(told('completed', job, {}));
      assert.deepEqual((await post(event, signed(event.body, by))).body, { job, state: 'succeeded' });
      await hears(`Job ${job} is complete.`);
    }
  });

  it('believes no other signature, time or body', async () => {
    const job = await run();
    const event = HTTP.structured(told('completed', job, {}));
    const good = signed(event.body);
    const stranger = `whsec_${randomBytes(32).toString('base64')}`;
    const minutes = n => new Date(Date.now() + n * 60_000);
    for (const headers of [
      signed(event.body, stranger),
      signed(`${event.body} `),
      signed(event.body, signing, 'msg_1', minutes(-6)),
      signed(event.body, signing, 'msg_1', minutes(6)),
      { ...good, 'webhook-id': 'msg_other' },
      { ...good, 'webhook-signature': good['webhook-signature'].slice(0, -1) },
      { ...good, 'webhook-signature': 'v1,' }
    ]) {
      assert.equal((await post(event, headers)).status, 401, JSON.stringify(headers));
    }
    assert.equal((await post(event, {})).status, 401);
    const other = HTTP.structured(told('completed', job, { message: 'x' }));
    assert.equal((await post(event, signed(event.body, signing, 'msg_once'))).status, 200);
    assert.equal((await post(other, signed(other.body, signing, 'msg_once'))).status, 409);
  });
});
