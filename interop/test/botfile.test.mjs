// .bot files: written by Proact and opened by botframework-config, and the other way round.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { promisify } from 'node:util';

import config from 'botframework-config';

const { BotConfiguration } = config;
const run = promisify(execFile);

// Every type that the library has a model for, and one that nobody knows.
const services = [
  { type: 'endpoint', name: 'development', id: '1', appId: '', appPassword: '', endpoint: 'http://localhost:3978/api/messages' },
  { type: 'endpoint', name: 'production', id: '2', appId: 'app', appPassword: 'pässword 🔑', endpoint: 'https://bot.example/api/messages' },
  { type: 'appInsights', name: 'insights', id: '3', instrumentationKey: 'i', apiKeys: { one: '1', two: '2' } },
  { type: 'blob', name: 'blob', id: '4', connectionString: 'c' },
  { type: 'cosmosdb', name: 'cosmos', id: '5', key: 'k' },
  { type: 'luis', name: 'luis', id: '6', authoringKey: 'a', subscriptionKey: 's', region: 'westus' },
  { type: 'dispatch', name: 'dispatch', id: '7', authoringKey: 'a', subscriptionKey: 's', serviceIds: ['6'] },
  { type: 'qna', name: 'qna', id: '8', endpointKey: 'e', subscriptionKey: 's', hostname: 'https://q.example/qnamaker' },
  { type: 'generic', name: 'generic', id: '9', url: 'u', configuration: { one: '1' } },
  { type: 'abs', name: 'abs', id: '10', appId: 'app' },
  { type: 'file', name: 'file', id: '11', path: 'p' },
  { type: 'of-tomorrow', name: 'x', id: '12', key: 'as it is' }
];
const whole = { name: 'whole', description: '', services, padlock: '', version: '2.0', mine: { kept: true } };
const SECRETS = /pässword|p\\u00e4ssword|"i"|"1"|"c"|"k"|"a"|"s"|"e"/;

describe('a .bot file', () => {
  let folder;
  let file;
  let secret;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'proact-bot-'));
    file = join(folder, 'my.bot');
    secret = BotConfiguration.generateKey();
    // As ASCII: the library guesses a file's encoding.
    await writeFile(file, JSON.stringify(whole).replaceAll(/[^\0-\x7f]/g, unit => `\\u${unit.charCodeAt().toString(16).padStart(4, '0')}`));
  });
  afterEach(() => rm(folder, { recursive: true }));

  /** `proact bot …` as somebody types it; what it says. */
  async function proact(...words) {
    const env = { PATH: process.env.PATH, botFilePath: 'my.bot', botFileSecret: secret };
    const { stdout } = await run(process.env.PROACT_BIN, ['bot', ...words], { cwd: folder, env });
    return stdout;
  }
  const servicesOf = loaded => JSON.parse(JSON.stringify(loaded.services));
  const idsAside = text => text.replaceAll(/"id": ?"\d+"/g, '');

  it('that Proact encrypted is opened by botframework-config', async () => {
    await proact('encrypt');
    assert.doesNotMatch(idsAside(await readFile(file, 'utf8')), SECRETS);
    const opened = await BotConfiguration.load(file, secret);
    assert.deepEqual(servicesOf(opened), services);
    assert.deepEqual(opened.mine, whole.mine);
    await assert.rejects(BotConfiguration.load(file, BotConfiguration.generateKey()));
    await assert.rejects(BotConfiguration.load(file));
  });

  it('that botframework-config encrypted is opened by Proact', async () => {
    const theirs = await BotConfiguration.load(file);
    await theirs.saveAs(file, secret);
    assert.doesNotMatch(idsAside(await readFile(file, 'utf8')), SECRETS);
    assert.match(await proact('list'), /^whole, encrypted\n/);
    assert.equal(JSON.parse(await proact('show', 'production')).appPassword, '…');
    assert.equal(JSON.parse(await proact('show', 'production', '--secrets')).appPassword, 'pässword 🔑');
    await proact('decrypt');
    const plain = JSON.parse(await readFile(file, 'utf8'));
    assert.deepEqual(plain.services, services);
    assert.equal(plain.padlock, '');
  });

  it('goes back and forth, encrypted and plain, and comes out as it went in', async () => {
    for (let time = 0; time < 3; time += 1) {
      await proact('encrypt');
      const theirs = await BotConfiguration.load(file, secret);
      theirs.clearSecret();
      await theirs.saveAs(file, secret);
      await proact('decrypt');
      assert.deepEqual(servicesOf(await BotConfiguration.load(file)), services);
    }
    assert.deepEqual(JSON.parse(await readFile(file, 'utf8')), whole);
  });

  it('of no other shape than the library writes', async () => {
    const { services: [, production] } = whole;
    const ascii = { ...whole, services: [{ ...production, appPassword: 'password' }, ...services.slice(2)] };
    await writeFile(file, JSON.stringify(ascii));
    await (await BotConfiguration.load(file)).saveAs(file);
    const theirs = await readFile(file, 'utf8');
    const { mode } = await stat(file);
    await proact('encrypt');
    await proact('decrypt');
    assert.equal(await readFile(file, 'utf8'), theirs, 'byte for byte');
    assert.equal((await stat(file)).mode, mode);
  });

  it('takes a secret that Proact made', async () => {
    secret = (await proact('new-secret')).trim();
    await proact('encrypt');
    assert.deepEqual(servicesOf(await BotConfiguration.load(file, secret)), services);
  });

  it('is refused by the name of what is wrong, without a secret in the words', async () => {
    await proact('encrypt');
    const right = secret;
    for (const [wrong, says] of [
      [BotConfiguration.generateKey(), /botFileSecret.* is wrong/],
      ['hunter2', /base64 of 32 bytes/],
      ['', /set botFileSecret/]
    ]) {
      secret = wrong;
      await assert.rejects(proact('decrypt'), ({ code, stderr }) => {
        assert.equal(code, 1);
        assert.match(stderr, says);
        assert.ok(stderr.includes('my.bot') && !stderr.includes('hunter2'), stderr);
        return true;
      });
    }
    secret = right;
    assert.equal((await BotConfiguration.load(file, secret)).services.length, services.length, 'it is as it was');
  });
});
