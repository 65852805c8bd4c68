// The article's own test, through the page as it is shipped.
import assert from 'node:assert/strict';

import { complete, completing, screenshot, started, windowOf } from './support/chat.mjs';
import { PHONE } from './support/browser.mjs';
import { scenario } from './support/scenario.mjs';

async function tell({ page }) {
  const [one, two] = [windowOf(page, 1), windowOf(page, 2)];
  await one.region.getByText('Welcome to Proact, User 1.').first().waitFor();
  await one.say('run');
  await one.sees(started(1));
  await one.say('run');
  await one.sees(started(2));

  await two.say('show');
  const table = two.region.locator('table').first();
  await table.waitFor();
  assert.equal(await table.locator('tbody tr').count(), 2);

  await two.say('done 1');
  await two.seesOnce(completing(1));
  await one.seesOnce(complete(1));
  await one.seesOnce(started(1));
  await one.seesOnce(started(2));
  assert.equal(await two.message(complete(1)).count(), 0, 'the message reaches the conversation that started the job, only');
  await page.locator('.notifications .chip[data-state="delivered"]').first().waitFor();
}

scenario('a message that window 2 causes appears in window 1', {}, async ({ page }) => {
  const ids = page.locator('.window-id');
  await ids.nth(1).waitFor();
  const titles = await ids.evaluateAll(elements => elements.map(element => element.title));
  assert.notEqual(titles[0], titles[1], 'the conversation ids differ');

  await tell({ page });
  await page.locator('.inspector summary').first().click();
  await screenshot(page, 'page.png');
});

scenario('the same at the width of a phone, without scrolling the page sideways', { viewport: PHONE, hasTouch: true }, async ({ page }) => {
  await tell({ page });
  await fitsTheScreen(page);
  const frame = await page.getByRole('region', { name: 'Window 2' }).boundingBox();
  assert.ok(frame.width >= 280 && frame.width <= PHONE.width, `a window is ${frame.width} wide`);
  const send = await page.getByRole('region', { name: 'Window 2' }).getByRole('button', { name: 'Send' }).boundingBox();
  assert.ok(send.x + send.width <= frame.x + frame.width, 'nothing of the button to send is cut off');
  await screenshot(page, 'phone.png');

  await page.getByRole('button', { name: 'Add a window' }).tap();
  await windowOf(page, 3).say('show');
  await windowOf(page, 3).region.locator('table').first().waitFor();
  await fitsTheScreen(page);
});

async function fitsTheScreen(page) {
  const { scroll, width } = await page.evaluate(() => ({
    scroll: document.documentElement.scrollWidth,
    width: document.documentElement.clientWidth
  }));
  assert.ok(scroll <= width, `the page is ${scroll} wide on a screen of ${width}`);
}

scenario('the same in the dark', { colorScheme: 'dark' }, async ({ page }) => {
  await tell({ page });
  await screenshot(page, 'dark.png');
});
