// The server is killed; the page is not touched, and loses and repeats nothing.
import assert from 'node:assert/strict';

import { complete, completing, started, windowOf } from './support/chat.mjs';
import { killAndRestart, scenario } from './support/scenario.mjs';

scenario('windows go on where they were when the server is killed and started again', {}, async world => {
  const { page } = world;
  const [one, two] = [windowOf(page, 1), windowOf(page, 2)];
  await page.evaluate(() => (window.neverReloaded = true));

  await one.say('run');
  await one.sees(started(1));
  await one.say('run');
  await one.sees(started(2));
  await killAndRestart(world);

  await two.say('show');
  await two.region.locator('table').first().waitFor();

  // The server has said that it took the message, and dies before the rest can be taken for granted.
  const taken = page.waitForResponse(response => response.url().endsWith('/activities') && response.ok());
  await two.say('done 1');
  await taken;
  await killAndRestart(world);

  await one.seesOnce(complete(1));
  await two.seesOnce(completing(1));
  await page.locator('.notifications .chip[data-state="delivered"]').first().waitFor();
  await page.locator('[data-job="1"] .chip[data-state="succeeded"]').waitFor();

  // What comes after goes the same way, and what was said before still stands there once.
  await two.say('done 2');
  await one.seesOnce(complete(2));
  await two.seesOnce(completing(2));
  await one.seesOnce(started(1));
  await one.seesOnce(started(2));
  await one.seesOnce(complete(1));
  assert.equal(await page.evaluate(() => window.neverReloaded), true);
});
