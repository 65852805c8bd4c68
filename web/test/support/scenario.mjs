// One test: a server, a browser and a page of their own, and no fault at the end of it.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { DESKTOP, openBrowser, watchedPage } from './browser.mjs';
import { startServer } from './server.mjs';

/** `startBot` starts a bot that takes the place of the one inside; `settings` are the server's; all else is for the browser. */
export function scenario(name, { viewport = DESKTOP, startBot, settings, ...options }, story) {
  test(name, { timeout: 600_000 }, async () => {
    const bot = await startBot?.();
    const server = await startServer({ botUrl: bot?.url, settings });
    const browser = await openBrowser(viewport, options);
    try {
      const watch = await watchedPage(browser.context);
      await watch.page.goto(server.url);
      await story({ bot, server, watch, page: watch.page, context: browser.context });
      assert.deepEqual(watch.faults, []);
    } finally {
      await browser.close();
      await server.close();
      await bot?.close();
    }
  });
}

/** Kills the server as `kill -9` does, and starts it again on its data; the page must notice and find its way back. */
export async function killAndRestart({ server, watch, page }) {
  watch.away = true;
  await server.kill9();
  await page.locator('.window[data-state="reconnecting"]').nth(1).waitFor();
  await page.locator('.feed[data-state="reconnecting"]').waitFor();
  await server.restart();
  await backOnline(page);
  watch.away = false;
}

export async function backOnline(page) {
  await page.locator('.feed[data-state="live"]').waitFor();
  await page.waitForFunction(() => {
    const windows = [...document.querySelectorAll('.window')];
    return windows.length > 0 && windows.every(window => window.dataset.state === 'online');
  });
}
