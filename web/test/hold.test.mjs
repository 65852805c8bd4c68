// A restored backup: the page says what is held and how that ends, until it has ended.
import assert from 'node:assert/strict';

import { started, windowOf } from './support/chat.mjs';
import { backOnline, scenario } from './support/scenario.mjs';

scenario('the page says that a restored backup is held, until it is released', {}, async ({ server, watch, page }) => {
  const one = windowOf(page, 1);
  await one.say('run');
  await one.sees(started(1));
  const banner = page.locator('.hold p');
  assert.equal(await banner.count(), 0);
  await server.run('backup', server.beside('backup.db'));

  watch.away = true;
  await server.kill9();
  await server.run('restore', server.beside('backup.db'));
  await server.restart();
  await backOnline(page);
  watch.away = false;
  await banner.filter({ hasText: 'proact release' }).waitFor();
  // People are answered meanwhile, under a number that was never given.
  await one.say('run');
  await one.sees(started(1_000_002));

  await server.run('release', '--drop');
  await banner.waitFor({ state: 'detached' });
});
