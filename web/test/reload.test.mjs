// What the browser keeps: the windows and, from the server, their history.
import assert from 'node:assert/strict';

import { watchedPage } from './support/browser.mjs';
import { complete, completing, started, windowOf } from './support/chat.mjs';
import { backOnline, scenario } from './support/scenario.mjs';

const idsOf = page => page.locator('.window-id').evaluateAll(elements => elements.map(element => element.title));

scenario('a reload brings the windows back with their history, each message once', {}, async ({ page }) => {
  const [one, two] = [windowOf(page, 1), windowOf(page, 2)];
  await one.say('run');
  await one.sees(started(1));
  await two.say('done 1');
  await two.sees(completing(1));
  await one.sees(complete(1));
  const before = await idsOf(page);

  for (let round = 0; round < 2; round += 1) {
    await page.reload();
    await backOnline(page);
    await one.seesOnce(started(1));
    await one.seesOnce(complete(1));
    await two.seesOnce(completing(1));
    assert.deepEqual(await idsOf(page), before);
  }

  await one.say('run');
  await one.seesOnce(started(2));
  assert.equal(await one.message('run').filter({ hasText: /^run$/u }).count(), 2, 'own messages are there once each');
});

scenario('a conversation that the server does not know is replaced by a new one, and the window says so', {}, async ({ page, watch }) => {
  watch.refused = /\/page\/tokens$/u;
  await backOnline(page);
  await page.evaluate(() => {
    const windows = JSON.parse(localStorage.getItem('proact.windows'));
    windows[0].conversationId = 'nobody-knows-me';
    localStorage.setItem('proact.windows', JSON.stringify(windows));
  });
  await page.reload();
  const one = windowOf(page, 1);
  await one.region.getByText('The server no longer knows the conversation').waitFor();
  await one.say('run');
  await one.seesOnce(started(1));
});

scenario('so it is when the server comes back without its data, while the page is open', {}, async ({ page, watch, server }) => {
  await backOnline(page);
  const before = await idsOf(page);
  watch.away = true;
  watch.refused = /\/page\/tokens$|\/conversations\//u;
  await server.kill9();
  await page.locator('.window[data-state="reconnecting"]').nth(1).waitFor();
  await server.restartEmpty();
  await page.getByText('The server no longer knows the conversation').nth(1).waitFor();
  await backOnline(page);
  watch.away = false;

  const one = windowOf(page, 1);
  await one.say('run');
  await one.seesOnce(started(1));
  assert.ok((await idsOf(page)).every(id => !before.includes(id)));
});

scenario('a second tab has windows of its own', {}, async ({ page, context, server }) => {
  await backOnline(page);
  const first = await idsOf(page);
  const other = await watchedPage(context);
  await other.page.goto(server.url);
  await backOnline(other.page);
  const second = await idsOf(other.page);
  assert.equal(second.length, 2);
  assert.ok(second.every(id => !first.includes(id)));
  assert.deepEqual(other.faults, []);
});
