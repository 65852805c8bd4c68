// Thousands of notifications at once: the page stays small, and ends with what is true.
import assert from 'node:assert/strict';

import { startChannel } from './support/channel.mjs';
import { backOnline, scenario } from './support/scenario.mjs';

const [BATCHES, BATCH, CONVERSATIONS] = [2, 1000, 20];
/** What was read, and what may come on top of it. */
const ROWS = 20 + 300;

scenario('a flood of notifications does not grow the list', {}, async ({ page, server }) => {
  const channel = await startChannel();
  try {
    await backOnline(page);
    for (let n = 0; n < CONVERSATIONS; n += 1) await channel.say(server, `c${n}`);
    await page.evaluate(() => {
      window.most = 0;
      const count = () => (window.most = Math.max(window.most, document.querySelectorAll('[data-notification]').length));
      new MutationObserver(count).observe(document.querySelector('.notifications'), { childList: true, subtree: true });
    });
    for (let batch = 0; batch < BATCHES; batch += 1) {
      const one = n => ({ conversation: { channelId: 'test', id: `c${n % CONVERSATIONS}` }, text: `Batch ${batch}, ${n}.` });
      const notifications = Array.from({ length: BATCH }, (_, n) => one(n));
      const response = await fetch(`${server.url}/v1/notifications/batch`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ notifications })
      });
      assert.equal(response.status, 200);
    }
    await page.getByRole('region', { name: 'Outbox' }).getByRole('button', { name: '2,000 delivered' }).waitFor();
    // The list is read anew when it is quieter, and then can be read further back.
    await page.getByRole('button', { name: 'Show older notifications' }).waitFor();
    await page.waitForFunction(() => {
      const chips = [...document.querySelectorAll('[data-notification] summary .chip')];
      return chips.length >= 20 && chips.every(chip => chip.dataset.state === 'delivered');
    });
    const most = await page.evaluate(() => window.most);
    assert.ok(most <= ROWS, `${most} rows at once`);
  } finally {
    await channel.close();
  }
});
