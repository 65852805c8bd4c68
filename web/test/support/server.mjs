// The real server, started on a data folder of its own, killed and started again at the same address.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const PATIENCE_MS = 60_000;

/**
 * `botUrl`: the bot that its channel talks to, instead of the one inside. `settings`: configuration, as environment. `config`: the text of
 * its configuration file.
 */
export async function startServer({ botUrl, settings, config } = {}) {
  const binary = process.env.PROACT_BIN;
  if (!binary) throw new Error('PROACT_BIN must name the proact binary');
  const data = await mkdtemp(join(tmpdir(), 'proact-page-'));
  const file = join(data, 'proact.toml');
  if (config) await writeFile(file, config);
  let child;
  let url;

  async function start(listen) {
    const bot = botUrl ? ['--bot-url', botUrl] : [];
    const configured = config ? ['--config', file] : [];
    const env = { ...process.env, ...settings };
    child = spawn(binary, ['--listen', listen, '--data', data, ...bot, ...configured], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    url = await printedUrl(child);
  }

  await start('127.0.0.1:0');
  return {
    get url() {
      return url;
    },
    async kill9() {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
    restart: () => start(new URL(url).host),
    /** Runs the program on the same data, with or without the server; what it said. */
    async run(...words) {
      const once = spawn(binary, [...words, '--data', data], { stdio: ['ignore', 'pipe', 'inherit'] });
      const said = [];
      for await (const chunk of once.stdout) said.push(chunk);
      if (once.exitCode === null) await new Promise(ended => once.once('exit', ended));
      if (once.exitCode !== 0) throw new Error(`${words.join(' ')} ended with ${once.exitCode}`);
      return Buffer.concat(said).toString();
    },
    /** A name beside its data, which goes with it. */
    beside: name => join(data, name),
    /** Starts it again without anything it knew. */
    async restartEmpty() {
      await rm(data, { recursive: true, force: true });
      await mkdir(data);
      await start(new URL(url).host);
    },
    async close() {
      if (child.exitCode === null && child.signalCode === null) await this.kill9();
      await rm(data, { recursive: true, force: true });
    }
  };
}

async function printedUrl(child) {
  const lines = createInterface({ input: child.stdout });
  const late = AbortSignal.timeout(PATIENCE_MS);
  const ended = once(child, 'exit', { signal: late }).then(([code]) => {
    throw new Error(`the server ended with ${code} before it printed its address`);
  });
  ended.catch(() => {});
  const first = once(lines, 'line', { signal: late }).then(([line]) => {
    const [found] = /http:\/\/127\.0\.0\.1:\d+/u.exec(line) ?? [];
    if (!found) throw new Error(`no address in the server's first line: ${line}`);
    return found;
  });
  return Promise.race([first, ended]);
}
