// Web Chat, in the page as it is shipped, before a bot on Microsoft's SDK that sends what bots send.
import assert from 'node:assert/strict';

import { PICTURE } from '../../interop/bots/behaviour.mjs';
import { startBotbuilder as startBot } from '../../interop/bots/botbuilder.mjs';
import { watchedPage } from './support/browser.mjs';
import { screenshot, windowOf } from './support/chat.mjs';
import { backOnline, scenario } from './support/scenario.mjs';

const picture = { name: 'pixel.png', mimeType: 'image/png', buffer: Buffer.from(PICTURE, 'base64') };
const said = bot => bot.seen.filter(({ type }) => type === 'message').at(-1);

/** The pictures of a window that the browser could load. */
const pictures = (region, name) =>
  region.locator(`img[alt="${name}"]`).evaluateAll(images => images.filter(({ naturalWidth }) => naturalWidth > 0).map(({ src }) => src));

scenario('a click on the button of a card reaches the bot', { startBot, colorScheme: 'dark' }, async ({ page, bot }) => {
  const one = windowOf(page, 1);
  await one.sees('Hello, User 1.');
  await one.say('hero');
  const button = name => one.region.locator('.webchat__bubble__content').getByRole('button', { name });
  await button('Say it').click();
  await one.seesOnce('Echo: said by a button');
  await button('Send it').click();
  await one.seesOnce('Submitted: {"button":2}');
  assert.deepEqual([said(bot).text, said(bot).channelData.messageBack.displayText], ['sent by a button', 'Shown instead']);
  await one.seesOnce('Shown instead');

  await one.say('adaptive');
  await one.region.getByRole('textbox', { name: 'Your name' }).fill('Ann');
  await button('Confirm').click();
  await one.seesOnce('Submitted: {"action":"confirm","name":"Ann"}');
  await screenshot(page, 'cards.png');
});

scenario('the same by keyboard alone', { startBot }, async ({ page }) => {
  const one = windowOf(page, 1);
  await one.sees('Hello, User 1.');
  await one.say('adaptive');
  const name = one.region.getByRole('textbox', { name: 'Your name' });
  await name.waitFor();
  // From the send box back into the transcript, onto the newest message, and into it.
  await page.keyboard.press('Shift+Tab');
  for (let step = 0; step < 5 && !(await inTranscript(page)); step += 1) await page.keyboard.press('Shift+Tab');
  assert.ok(await inTranscript(page), 'the transcript takes the focus');
  await screenshot(page, 'transcript-focus.png');
  await page.keyboard.press('Enter');
  await name.and(page.locator(':focus')).waitFor();
  await page.keyboard.type('Bob');
  await page.keyboard.press('Tab');
  const confirm = one.region.locator('.webchat__bubble__content').getByRole('button', { name: 'Confirm' });
  await confirm.and(page.locator(':focus')).waitFor();
  const outline = await page.evaluate(() => {
    const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
    return `${outlineStyle} ${outlineWidth}`;
  });
  assert.equal(outline, 'solid 2px', 'focus is visible');
  await screenshot(page, 'card-focus.png');
  await page.keyboard.press('Enter');
  await one.seesOnce('Submitted: {"action":"confirm","name":"Bob"}');
});

const inTranscript = page => page.evaluate(() => document.activeElement?.matches('.webchat__basic-transcript') ?? false);

scenario('a suggested action is said with one click, and the others go', { startBot }, async ({ page, bot }) => {
  const one = windowOf(page, 1);
  await one.sees('Hello, User 1.');
  await one.say('suggest');
  const action = name => one.region.getByRole('toolbar', { name: 'Suggested actions' }).getByRole('button', { name });
  await action('Coffee').waitFor();
  await screenshot(page, 'suggested.png');
  await action('Tea').click();
  await one.seesOnce('Echo: Tea');
  assert.equal(said(bot).text, 'Tea');
  await action('Coffee').waitFor({ state: 'detached' });
});

scenario('a picture is uploaded, reaches the bot and is shown; so is one of the bot', { startBot }, async ({ page }) => {
  const one = windowOf(page, 1);
  await one.sees('Hello, User 1.');
  await one.region.locator('input[type="file"]').setInputFiles([picture, { name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('hello') }]);
  await one.region.getByRole('button', { name: 'Send' }).click();
  await one.sees('Received pixel.png (image/png, image/png, 200)');
  await one.message(picture.buffer.toString('hex')).waitFor();
  await one.message(Buffer.from('hello').toString('hex')).waitFor();
  await one.region.getByRole('link', { name: /notes\.txt/u }).first().waitFor();
  await one.region.locator('img[alt="pixel.png"]').waitFor();
  await page.waitForFunction(() => document.querySelector('img[alt="pixel.png"]')?.naturalWidth === 1);

  await one.say('picture');
  await one.sees('A picture');
  await page.waitForFunction(() => [...document.querySelectorAll('img[alt="pixel.png"]')].filter(image => image.naturalWidth === 1).length === 2);
  await screenshot(page, 'pictures.png');

  await page.reload();
  await backOnline(page);
  await one.sees('A picture');
  await page.waitForFunction(() => [...document.querySelectorAll('img[alt="pixel.png"]')].filter(image => image.naturalWidth === 1).length === 2);
  assert.equal((await pictures(one.region, 'pixel.png')).length, 2);
});

scenario('what the bot changes is changed in place, and what it deletes is gone, also after a reload', { startBot }, async ({ page }) => {
  const one = windowOf(page, 1);
  await one.sees('Hello, User 1.');
  await one.say('note');
  await one.sees('A note, as it was first');
  await one.say('in between');
  await one.sees('Echo: in between');

  await one.say('change');
  await one.seesOnce('A note, changed');
  assert.equal(await one.message('A note, as it was first').count(), 0);
  assert.deepEqual(await order(one), ['A note, changed', 'Echo: in between'], 'it stays where it was');

  const inspector = page.getByRole('region', { name: 'Inspector' });
  await inspector.locator('li').filter({ hasText: 'A note, changed' }).waitFor();
  assert.equal(await inspector.locator('li').filter({ hasText: 'A note, as it was first' }).count(), 1, 'the inspector shows all that came');
  await page.reload();
  await backOnline(page);
  await one.seesOnce('A note, changed');
  assert.deepEqual(await order(one), ['A note, changed', 'Echo: in between']);

  await one.say('erase');
  await one.message('A note').first().waitFor({ state: 'detached' });
  await one.sees('Echo: in between');
  await inspector.locator('li').filter({ hasText: 'messageDelete' }).waitFor();
  await screenshot(page, 'deleted.png');
  await page.reload();
  await backOnline(page);
  await one.sees('Echo: in between');
  assert.equal(await one.message('A note').count(), 0);
});

const order = async one => {
  const texts = await one.region.locator('.webchat__bubble__content').allTextContents();
  return texts.map(text => /A note, changed|Echo: in between/u.exec(text)?.[0]).filter(Boolean);
};

scenario('the bot is seen typing', { startBot }, async ({ page }) => {
  const one = windowOf(page, 1);
  await one.sees('Hello, User 1.');
  assert.equal(await one.region.locator('.webchat__typing-indicator').count(), 0);
  await one.say('typing');
  await one.region.locator('.webchat__typing-indicator').waitFor();
  await screenshot(page, 'typing.png');
  await one.say('what is it?');
  await one.sees('Echo: what is it?');
  await one.region.locator('.webchat__typing-indicator').waitFor({ state: 'detached' });
});

scenario('two browser windows show one conversation', { startBot }, async ({ page, context, server }) => {
  const one = windowOf(page, 1);
  await one.say('said before');
  await one.sees('Echo: said before');
  const opened = context.waitForEvent('page');
  await page.getByRole('link', { name: 'Open Window 1 in another browser window' }).click();
  const link = (await opened).url();
  await (await opened).close();
  assert.equal(new URL(link).origin, server.url);

  const other = await watchedPage(context);
  await other.page.goto(link);
  await backOnline(other.page);
  const two = windowOf(other.page, 1);
  await two.seesOnce('Echo: said before');
  assert.equal(await other.page.locator('.window').count(), 1);

  await two.say('from the second');
  for (const window of [one, two]) {
    await window.seesOnce('Echo: from the second');
    assert.equal(await window.message(/^from the second$/u).count(), 1);
  }
  await one.say('from the first');
  for (const window of [one, two]) await window.seesOnce('Echo: from the first');
  await screenshot(other.page, 'second-window.png');

  await other.page.reload();
  await backOnline(other.page);
  await two.seesOnce('Echo: from the first');
  assert.equal(await page.locator('.window[data-state="online"]').count(), 2, 'neither closes the stream of the other');
  assert.deepEqual(other.faults, []);
});
