// The outbox at the page: what keeps messages waiting, and what an operator does about it.
import assert from 'node:assert/strict';

import { send, startChannel } from './support/channel.mjs';
import { complete, screenshot, started, windowOf } from './support/chat.mjs';
import { PHONE } from './support/browser.mjs';
import { conversationOf, outboxOf } from './support/outbox.mjs';
import { backOnline, scenario } from './support/scenario.mjs';

/** A scenario with another channel, in whose conversation `c1` somebody has talked to the bot. */
function withChannel(name, options, story) {
  scenario(name, options, async world => {
    const channel = await startChannel();
    try {
      await channel.say(world.server, 'c1');
      await backOnline(world.page);
      await story({ ...world, channel, outbox: outboxOf(world.page) });
    } finally {
      await channel.close();
    }
  });
}

scenario('everything is paused, a message waits and says why, and goes when it is resumed', {}, async ({ page, server }) => {
  const [one, outbox] = [windowOf(page, 1), outboxOf(page)];
  await one.say('run');
  await one.sees(started(1));
  await outbox.pause('Everything', 'the night');
  await outbox.pauses.filter({ hasText: 'Everything paused' }).filter({ hasText: 'the night' }).waitFor();

  await page.getByRole('button', { name: 'Complete job 1' }).click();
  const row = page.locator('[data-notification]').filter({ hasText: complete(1) });
  await row.locator('summary .chip[data-state="waiting"]').waitFor();
  const id = await row.getAttribute('data-notification');
  await outbox.open(id);
  await outbox.gate(id, 'paused').filter({ hasText: 'Everything is paused. It goes when that is resumed.' }).waitFor();
  await outbox.bar.getByText('1 waiting').waitFor();
  await outbox.bar.getByText('oldest accepted').waitFor();
  await screenshot(page, 'paused.png');
  assert.equal(await one.message(complete(1)).count(), 0);
  assert.equal((await (await fetch(`${server.url}/v1/notifications/${id}`)).json()).state, 'waiting');

  await page.getByRole('button', { name: 'Resume: Everything' }).click();
  await outbox.pauses.waitFor({ state: 'detached' });
  await one.seesOnce(complete(1));
  await outbox.becomes(id, 'delivered');
  await outbox.row(id).locator('[data-outcome="delivered"]').waitFor();
  assert.equal(await outbox.gate(id, 'paused').count(), 0);
  assert.equal(await outbox.button(id, 'Cancel').count(), 0, 'what cannot be done is not shown');
  assert.equal(await outbox.button(id, 'Replay').count(), 0);
});

scenario('a window is paused alone, and what waits for it is cancelled', {}, async ({ page }) => {
  const [one, two, outbox] = [windowOf(page, 1), windowOf(page, 2), outboxOf(page)];
  await one.say('run');
  await one.sees(started(1));
  await two.say('run');
  await two.sees(started(2));
  await page.getByRole('button', { name: 'Pause Window 1' }).click();
  await outbox.pauses.filter({ hasText: 'Window 1 paused' }).waitFor();
  await page.getByRole('button', { name: 'Complete job 1' }).click();
  await page.getByRole('button', { name: 'Complete job 2' }).click();
  await two.seesOnce(complete(2));

  const row = page.locator('[data-notification]').filter({ hasText: complete(1) });
  const id = await row.getAttribute('data-notification');
  await outbox.open(id);
  await outbox.gate(id, 'paused').filter({ hasText: 'Window 1 is paused' }).waitFor();
  await outbox.button(id, 'Cancel').click();
  await outbox.becomes(id, 'cancelled');
  await outbox.row(id).getByRole('status').filter({ hasText: 'Cancelled: nothing more is sent.' }).waitFor();
  assert.ok(await outbox.summary(id).evaluate(summary => summary === document.activeElement), 'the focus stays in the row');
  assert.equal(await outbox.button(id, 'Cancel').count(), 0);

  await page.getByRole('button', { name: 'Resume Window 1' }).click();
  await page.getByRole('button', { name: 'Pause Window 1' }).waitFor();
  await one.say('run');
  await one.sees(started(3));
  await page.getByRole('button', { name: 'Complete job 3' }).click();
  await one.seesOnce(complete(3));
  assert.equal(await one.message(complete(1)).count(), 0);
});

withChannel('a host that is out of order is named, until it is back', {}, async ({ server, channel, outbox }) => {
  await channel.down();
  const id = await send(server, ['test', 'c1'], 'Nobody is there.');
  await outbox.breakers.filter({ hasText: channel.url }).filter({ hasText: 'out of order' }).waitFor();
  await outbox.open(id);
  await outbox.gate(id, 'breaker').filter({ hasText: /is tried again (in \d+ s|now)/u }).waitFor();
  await outbox.row(id).locator('[data-outcome="not_sent"]').first().waitFor();
  await channel.up();
  await outbox.becomes(id, 'delivered');
  await outbox.breakers.waitFor({ state: 'detached' });
  assert.deepEqual(channel.arrived.filter(text => text === 'Nobody is there.').length, 1);
});

withChannel('what failed tells what came back, and is replayed', {}, async ({ page, server, channel, outbox }) => {
  channel.answers(400);
  const id = await send(server, ['test', 'c1'], 'Not like this.');
  await outbox.becomes(id, 'failed');
  await outbox.open(id);
  const attempt = outbox.row(id).locator('[data-outcome="failed"]');
  await attempt.filter({ hasText: 'HTTP 400' }).waitFor();
  assert.match(await attempt.locator('.attempt-error').textContent(), /Not like this|Refused|400/u);
  await screenshot(page, 'failed.png');

  channel.answers(200);
  await outbox.button(id, 'Replay').click();
  await outbox.row(id).getByRole('button', { name: 'Show it' }).click();
  const replayed = page.locator('[data-notification]:has(summary:focus)');
  await replayed.waitFor();
  const again = await replayed.getAttribute('data-notification');
  assert.notEqual(again, id);
  await outbox.becomes(again, 'delivered');
  await replayed.locator('dd').filter({ hasText: id }).waitFor();
  assert.equal(channel.arrived.filter(text => text === 'Not like this.').length, 1);
});

withChannel('what may have arrived is left to a person under at_most_once, and says so', {}, async ({ server, channel, outbox }) => {
  channel.answers('drop');
  const id = await send(server, ['test', 'c1'], 'Perhaps.', { policy: 'at_most_once' });
  await outbox.becomes(id, 'unknown');
  await outbox.open(id);
  await outbox.row(id).getByText('It may have arrived').waitFor();
  assert.equal(await outbox.button(id, 'Replay').count(), 1);
  assert.equal(await outbox.button(id, 'Cancel').count(), 0);
});

withChannel('the list is filtered by state, priority and conversation, and paged', {}, async ({ page, server, channel, outbox }) => {
  await channel.say(server, 'c2');
  await outbox.pause('The channel test');
  for (let n = 1; n <= 25; n += 1) await send(server, ['test', 'c1'], `Bulk ${n}.`, { priority: 'bulk' });
  const urgent = await send(server, ['test', 'c2'], 'Urgent.', { priority: 'urgent' });
  const elsewhere = await send(server, await conversationOf(windowOf(page, 1)), 'Goes at once.');
  await outbox.becomes(elsewhere, 'delivered');

  await outbox.filter('state').selectOption('waiting');
  await outbox.row(elsewhere).waitFor({ state: 'detached' });
  await outbox.filter('priority').selectOption('bulk');
  await outbox.row(urgent).waitFor({ state: 'detached' });
  const bulk = outbox.panel.locator('[data-notification]').filter({ hasText: /Bulk \d+\./u });
  await bulk.nth(19).waitFor();
  assert.equal(await bulk.count(), 20);
  await outbox.panel.getByRole('button', { name: 'Show older notifications' }).click();
  await bulk.nth(24).waitFor();
  assert.equal(await bulk.count(), 25);

  await outbox.filter('priority').selectOption('');
  await outbox.filter('conversation').selectOption({ label: 'test/c2' });
  await outbox.row(urgent).waitFor();
  await bulk.first().waitFor({ state: 'detached' });
  // Live: what comes and belongs here appears, what does not belong here does not, and what ends leaves.
  const more = await send(server, ['test', 'c2'], 'One more.');
  await send(server, ['test', 'c1'], 'Not here.');
  await outbox.row(more).waitFor();
  assert.equal(await outbox.panel.locator('[data-notification]').count(), 2);
  await outbox.open(more);
  await page.getByRole('button', { name: 'Resume: The channel test' }).click();
  await outbox.becomes(more, 'delivered');
  await outbox.row(urgent).waitFor({ state: 'detached' });
  assert.equal(await outbox.row(more).count(), 1, 'what somebody reads stays');
  await outbox.panel.getByRole('button', { name: 'Show all notifications' }).click();
  await outbox.row(elsewhere).waitFor();
});

withChannel('one that waits is moved to another time, and sent at once, by keyboard', {}, async ({ page, server, channel, outbox }) => {
  const id = await send(server, ['test', 'c1'], 'For later.', { notBefore: '2100-01-01T00:00:00Z' });
  await outbox.summary(id).focus();
  await page.keyboard.press('Enter');
  await outbox.gate(id, 'not_yet').filter({ hasText: 'It is for later' }).waitFor();
  await outbox.button(id, 'Reschedule…').focus();
  await page.keyboard.press('Enter');
  const form = page.getByRole('form', { name: 'Reschedule' });
  await form.getByLabel('Not before').and(page.locator(':focus')).waitFor();
  await page.keyboard.press('Escape');
  await outbox.button(id, 'Reschedule…').and(page.locator(':focus')).waitFor();

  await page.keyboard.press('Enter');
  await form.getByLabel('Not before').fill('2099-05-04T03:02:01');
  await page.keyboard.press('Enter');
  await outbox.row(id).getByRole('status').filter({ hasText: 'Moved: not before' }).waitFor();
  const due = (await (await fetch(`${server.url}/v1/notifications/${id}`)).json()).dueAt;
  assert.equal(new Date(due).getTime(), new Date('2099-05-04T03:02:01').getTime());

  await outbox.button(id, 'Reschedule…').and(page.locator(':focus')).waitFor();
  await page.keyboard.press('Enter');
  await form.getByRole('button', { name: 'Send at once' }).focus();
  await page.keyboard.press('Enter');
  await outbox.becomes(id, 'delivered');
  assert.ok(channel.arrived.includes('For later.'));
  await outbox.summary(id).focus();
  await page.keyboard.press('Escape');
  await outbox.row(id).locator('.story').waitFor({ state: 'detached' });
});

withChannel('what the server refuses is said in words', {}, async ({ page, server, outbox, watch }) => {
  const id = await send(server, ['test', 'c1'], 'Gone meanwhile.', { notBefore: '2100-01-01T00:00:00Z' });
  await outbox.open(id);
  watch.refused = /\/cancel$/u;
  // Somebody else was faster, and the page has not heard of it.
  await page.route('**/cancel', async route => {
    await fetch(`${server.url}/v1/notifications/${id}/reschedule`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: '{"notBefore":"2001-01-01T00:00:00Z"}'
    });
    await outbox.becomes(id, 'delivered');
    await route.continue();
  });
  await outbox.button(id, 'Cancel').click();
  await outbox.row(id).getByRole('alert').filter({ hasText: 'It is too late for that: it is delivered' }).waitFor();
});

withChannel('at the width of a phone everything is there to be tapped', { viewport: PHONE, hasTouch: true }, async world => {
  const { page, server, channel, outbox } = world;
  await channel.say(server, 'c2');
  await outbox.pause('The channel test', 'a reason that is long enough to need more than the one line that there is on a phone');
  const id = await send(server, ['test', 'c1'], 'Held back, and with a text that is far too long for the width of a telephone.');
  await send(server, ['test', 'c2'], 'To another.');
  await outbox.summary(id).tap();
  await outbox.gate(id, 'paused').waitFor();
  await outbox.row(id).getByText('Activity').tap();
  await outbox.button(id, 'show only this conversation').tap();
  await outbox.row(id).waitFor();
  await outbox.panel.getByText('To another.').waitFor({ state: 'detached' });
  assert.equal(await outbox.filter('conversation').locator('option:checked').textContent(), 'test/c1');
  await screenshot(page, 'phone-story.png');
  const { scroll, width } = await page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    return { scroll: scrollWidth, width: clientWidth };
  });
  assert.ok(scroll <= width, `the page is ${scroll} wide on a screen of ${width}`);
  const hidden = await outbox.row(id).locator('.story :is(button, dd, p)').evaluateAll(parts =>
    parts.filter(part => part.getBoundingClientRect().right > document.documentElement.clientWidth).map(part => part.textContent)
  );
  assert.deepEqual(hidden, [], 'nothing stands out of the screen');

  await outbox.button(id, 'Pause conversation').tap();
  await outbox.pauses.filter({ hasText: 'The conversation test/c1' }).waitFor();
  await outbox.button(id, 'Resume conversation').tap();
  await outbox.pauses.nth(1).waitFor({ state: 'detached' });
  await outbox.gate(id, 'paused').getByRole('button', { name: 'Resume' }).tap();
  await outbox.becomes(id, 'delivered');
});

scenario('pauses are set and taken back by keyboard, and the counts choose what is listed', {}, async ({ page }) => {
  await backOnline(page);
  const outbox = outboxOf(page);
  const open = outbox.bar.getByRole('button', { name: 'Pause…' });
  const dialog = page.getByRole('dialog', { name: 'Pause' });
  await open.focus();
  await page.keyboard.press('Enter');
  await dialog.getByLabel('What').and(page.locator(':focus')).waitFor();
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  await open.and(page.locator(':focus')).waitFor();
  assert.equal(await outbox.pauses.count(), 0, 'Escape does nothing but go back');

  await page.keyboard.press('Enter');
  await dialog.getByLabel('What').and(page.locator(':focus')).waitFor();
  await page.keyboard.press('Tab');
  await page.keyboard.type('by keyboard');
  await page.keyboard.press('Enter');
  await outbox.pauses.filter({ hasText: 'Everything paused' }).filter({ hasText: 'by keyboard' }).waitFor();
  await page.getByRole('status').filter({ hasText: 'Everything is paused.' }).waitFor();
  await page.keyboard.press('Tab');
  await page.getByRole('button', { name: 'Resume: Everything' }).and(page.locator(':focus')).waitFor();
  await page.keyboard.press('Enter');
  await outbox.pauses.waitFor({ state: 'detached' });
  await open.and(page.locator(':focus')).waitFor();

  const failed = outbox.bar.getByRole('button', { name: '0 failed' });
  await failed.click();
  assert.equal(await failed.getAttribute('aria-pressed'), 'true');
  assert.equal(await outbox.filter('state').inputValue(), 'failed');
  await outbox.panel.getByText('None of these.').waitFor();
  await failed.click();
  assert.equal(await outbox.filter('state').inputValue(), '');
});

scenario('a job fails for a reason, and another is cancelled with other words', {}, async ({ page }) => {
  const one = windowOf(page, 1);
  for (const number of [1, 2]) {
    await one.say('run');
    await one.sees(started(number));
  }
  await page.getByRole('button', { name: 'Fail job 1' }).click();
  const form = page.getByRole('form', { name: 'Fail the job 1' });
  await form.getByLabel('Reason').and(page.locator(':focus')).waitFor();
  await page.keyboard.type('the disk is full');
  await page.keyboard.press('Enter');
  await page.locator('[data-job="1"] .chip[data-state="failed"]').waitFor();
  await page.locator('[data-job="1"]').getByText('the disk is full').waitFor();
  await one.message('the disk is full').waitFor();

  const cancel = page.getByRole('button', { name: 'Cancel job 2' });
  await cancel.click();
  await page.keyboard.press('Escape');
  await cancel.and(page.locator(':focus')).waitFor();
  await page.keyboard.press('Enter');
  await page.getByRole('form', { name: 'Cancel the job 2' }).getByLabel('Message').fill('Never mind.');
  await page.keyboard.press('Enter');
  await page.locator('[data-job="2"] .chip[data-state="cancelled"]').waitFor();
  await one.seesOnce('Never mind.');
  assert.equal(await page.locator('[data-job] .actions button').count(), 0, 'what is at its end has no buttons');

  // From the job to the story of its message.
  await page.locator('[data-job="2"]').getByRole('button', { name: 'message' }).click();
  await page.locator('[data-notification]:has(summary:focus) .facts').filter({ hasText: 'job 2' }).waitFor();
});

scenario('the page goes to sign in when the server asks for it', {}, async ({ page, server, watch }) => {
  await backOnline(page);
  watch.refused = /\/v1\/|\/sign-in/u;
  await page.route('**/sign-in?*', route => route.fulfill({ contentType: 'text/html', body: '<h1>Who are you?</h1>' }));
  await page.route('**/v1/status', route =>
    route.fulfill({
      status: 401,
      contentType: 'application/problem+json',
      body: JSON.stringify({ type: 'urn:proact:problem:sign-in-required', title: 'Sign in', status: 401 })
    })
  );
  await page.getByRole('heading', { name: 'Who are you?' }).waitFor();
  assert.equal(page.url(), `${server.url}/sign-in?next=%2F`);
});

const KEY = 'the-key-of-this-page';
scenario('who has signed in signs out again', { settings: { PROACT_PAGE_SIGN_IN: 'on', PROACT_PAGE_KEY: KEY } }, async ({ page, server, watch, context }) => {
  await page.getByLabel('Key of this server').fill(KEY);
  await page.keyboard.press('Enter');
  await backOnline(page);
  const [session] = await context.cookies();
  assert.equal(session.name, `proact-page-${new URL(server.url).port}`);
  watch.refused = /\/v1\/|\/page\/|\/sign-/u;
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByLabel('Key of this server').waitFor();
  assert.deepEqual(await context.cookies(), []);
  // Not even with the cookie of before.
  await context.addCookies([session]);
  await page.goto(server.url);
  await page.getByLabel('Key of this server').waitFor();
});
