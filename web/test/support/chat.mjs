// What a person does at the page, and what they see.
import assert from 'node:assert/strict';

export function windowOf(page, number) {
  const region = page.getByRole('region', { name: `Window ${number}`, exact: true });
  return {
    region,
    input: region.locator('[data-id="webchat-sendbox-input"]'),
    /** The messages of the transcript; Web Chat keeps a second, hidden copy for screen readers that is not counted. */
    message: text => region.locator('.webchat__bubble__content').filter({ hasText: text }),
    async say(text) {
      await this.input.fill(text);
      await this.input.press('Enter');
    },
    async sees(text) {
      await this.message(text).first().waitFor();
    },
    async seesOnce(text) {
      await this.sees(text);
      assert.equal(await this.message(text).count(), 1, `"${text}" once in window ${number}`);
    }
  };
}

export const started = number => `We're starting job ${number} for you. We'll notify you when it's complete.`;
export const completing = number => `Completing job ${number}.`;
export const complete = number => `Job ${number} is complete.`;

export async function screenshot(page, name) {
  const folder = process.env.PROACT_SCREENSHOTS;
  if (folder) await page.screenshot({ path: `${folder}/${name}` });
}
