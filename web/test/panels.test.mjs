// The right side: jobs, notifications, the inspector; and adding and closing windows.
import assert from 'node:assert/strict';

import { complete, started, windowOf } from './support/chat.mjs';
import { scenario } from './support/scenario.mjs';

scenario("the job list's button completes a job, and its notification is followed to the end", {}, async ({ page }) => {
  const one = windowOf(page, 1);
  await one.say('run');
  await one.sees(started(1));
  const job = page.locator('[data-job="1"]');
  await job.locator('.chip[data-state="running"]').waitFor();

  await page.getByRole('button', { name: 'Complete job 1' }).click();
  await job.locator('.chip[data-state="succeeded"]').waitFor();
  await page.getByRole('button', { name: 'Complete job 1' }).waitFor({ state: 'detached' });
  await one.seesOnce(complete(1));

  const notification = page.locator('[data-notification]').filter({ hasText: complete(1) });
  await notification.locator('.chip[data-state="delivered"]').waitFor();
  assert.equal(await notification.count(), 1);
  await notification.locator('summary').click();
  await notification.locator('.attempts li').filter({ hasText: 'delivered' }).waitFor();
});

scenario('the job list shows how far a job is, and the message in its window follows', {}, async ({ page }) => {
  const one = windowOf(page, 1);
  await one.say('run');
  await one.sees(started(1));
  const report = body =>
    page.evaluate(
      body => fetch('/v1/jobs/1/progress', { method: 'POST', headers: { 'content-type': 'application/json' }, body }),
      JSON.stringify(body)
    );
  const job = page.locator('[data-job="1"]');
  await report({ percent: 40, text: 'reading' });
  await job.locator('.job-progress').filter({ hasText: '40 % reading' }).waitFor();
  assert.equal(await job.getByRole('progressbar', { name: 'Progress of job 1' }).getAttribute('value'), '40');
  await one.sees('Job 1: 40 % – reading');
  await report({ percent: 60 });
  await job.locator('.job-progress').filter({ hasText: '60 % reading' }).waitFor();
  await one.sees('Job 1: 60 % – reading');
  await page.getByRole('button', { name: 'Complete job 1' }).click();
  await one.seesOnce(complete(1));
  await job.locator('.job-progress').waitFor({ state: 'detached' });
});

scenario('the inspector shows the JSON of each activity of the chosen window', {}, async ({ page }) => {
  const [one, two] = [windowOf(page, 1), windowOf(page, 2)];
  await one.say('run');
  await one.sees(started(1));
  await two.say('show');
  await two.region.locator('table').first().waitFor();

  const inspector = page.getByRole('region', { name: 'Inspector' });
  const row = inspector.locator('li').filter({ hasText: started(1) });
  await row.locator('summary').click();
  const activity = JSON.parse(await row.locator('pre').textContent());
  assert.equal(activity.type, 'message');
  assert.equal(activity.text, started(1));
  const shown = await page.locator('.window-id').first().getAttribute('title');
  assert.equal(shown, `Conversation ${activity.conversation.id}`);

  await page.getByRole('button', { name: 'Inspect Window 2' }).click();
  await inspector.locator('li').filter({ hasText: 'show' }).first().waitFor();
  assert.equal(await row.count(), 0, 'only the chosen window');
});

scenario('a window can be added, used and closed', {}, async ({ page }) => {
  await windowOf(page, 2).input.waitFor();
  await page.getByRole('button', { name: 'Add a window' }).click();
  const three = windowOf(page, 3);
  await three.say('run');
  await three.seesOnce(started(1));
  await page.getByRole('button', { name: 'Close Window 2' }).click();
  await windowOf(page, 2).region.waitFor({ state: 'detached' });
  await three.seesOnce(started(1));
  assert.equal(await page.locator('.window').count(), 2);
});
