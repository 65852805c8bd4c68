// The page by keyboard alone.
import assert from 'node:assert/strict';

import { started, windowOf } from './support/chat.mjs';
import { backOnline, scenario } from './support/scenario.mjs';

const MANY = 60;

scenario("Tab leads to the second window's input and to the job's button", {}, async ({ page }) => {
  await backOnline(page);
  await page.locator('[data-id="webchat-sendbox-input"]').nth(1).waitFor();

  await tabTo(page, () => document.activeElement?.dataset.id === 'webchat-sendbox-input' && inWindow('Window 1'));
  await tabTo(page, () => document.activeElement?.dataset.id === 'webchat-sendbox-input' && inWindow('Window 2'));
  await page.keyboard.type('run');
  await page.keyboard.press('Enter');
  await windowOf(page, 2).seesOnce(started(1));

  await page.getByRole('button', { name: 'Complete job 1' }).waitFor();
  await tabTo(page, () => document.activeElement?.getAttribute('aria-label') === 'Complete job 1');
  assert.notEqual(await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle), 'none', 'focus is visible');
  await page.keyboard.press('Enter');
  await page.locator('[data-job="1"] .chip[data-state="succeeded"]').waitFor();
});

scenario('who sends a message goes on typing in the same window', {}, async ({ page }) => {
  await backOnline(page);
  await windowOf(page, 2).input.waitFor();
  for (const number of [1, 2, 1]) {
    const window = windowOf(page, number);
    await window.say('show');
    await page.keyboard.type('and on');
    assert.equal(await window.input.inputValue(), 'and on', `window ${number}`);
    await window.input.clear();
  }
});

scenario('everything that can be used has a name, and the page has its landmarks', {}, async ({ page }) => {
  await backOnline(page);
  for (const name of ['Conversations', 'Window 1', 'Window 2', 'Jobs', 'Notifications', 'Inspector']) {
    assert.equal(await page.getByRole('region', { name, exact: true }).count(), 1, name);
  }
  assert.equal(await page.getByRole('banner').count(), 1);
  assert.equal(await page.getByRole('main').count(), 1);
  for (const button of await page.getByRole('button').all()) {
    const name = (await button.getAttribute('aria-label')) ?? (await button.getAttribute('title')) ?? (await button.textContent());
    assert.ok(name?.trim(), await button.evaluate(element => element.outerHTML));
  }
});

async function tabTo(page, reached) {
  const test = `(() => { const inWindow = name => !!document.activeElement?.closest('[aria-label="' + name + '"]'); return (${reached})(); })()`;
  for (let step = 0; step < MANY; step += 1) {
    await page.keyboard.press('Tab');
    if (await page.evaluate(test)) return;
  }
  assert.fail(`not reached with ${MANY} presses of Tab: ${reached}`);
}
