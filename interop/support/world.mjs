// One test: the real server, perhaps a bot behind its channel, and clients of it.
import { randomUUID } from 'node:crypto';

import { startServer } from '../../web/test/support/server.mjs';
import { browserAt } from './client.mjs';

export async function startWorld(startBot, settings) {
  const bot = await startBot?.();
  const secret = randomUUID();
  const server = await startServer({ botUrl: bot?.url, settings: { ...settings, PROACT_DIRECTLINE_SECRET: secret } });
  const browser = await browserAt(server.url);
  const lines = [];
  return {
    bot,
    secret,
    server,
    browser,
    open(options) {
      const line = browser.open({ server, user: 'user-1', ...options });
      lines.push(line);
      return line;
    },
    /** A request as any HTTP client makes it; the answer's JSON with its status. */
    async call(method, path, { body, bearer = secret } = {}) {
      const response = await fetch(new URL(path, server.url), {
        method,
        headers: { Authorization: `Bearer ${bearer}`, ...(body && { 'Content-Type': 'application/json' }) },
        body: body && JSON.stringify(body)
      });
      const text = await response.text();
      return { status: response.status, body: text && JSON.parse(text) };
    },
    async token(user) {
      const { body } = await this.call('POST', '/v3/directline/tokens/generate', { body: { user } });
      return body;
    },
    async close() {
      for (const line of lines) line.close();
      browser.close();
      await server.close();
      await bot?.close();
    }
  };
}
