// What a person does with the outbox at the page.

export const outboxOf = page => ({
  bar: page.getByRole('region', { name: 'Outbox' }),
  panel: page.getByRole('region', { name: 'Notifications' }),
  row: id => page.locator(`[data-notification="${id}"]`),
  summary: id => page.locator(`[data-notification="${id}"] > details > summary`),
  gate: (id, name) => page.locator(`[data-notification="${id}"] [data-gate="${name}"]`),
  filter: what => page.getByRole('combobox', { name: `Only this ${what}` }),
  pauses: page.locator('[data-pause]'),
  breakers: page.locator('[data-breaker]'),
  async becomes(id, state) {
    await page.locator(`[data-notification="${id}"] summary .chip[data-state="${state}"]`).first().waitFor();
  },
  async open(id) {
    await this.summary(id).click();
    await this.row(id).locator('.facts').waitFor();
  },
  button(id, name) {
    return this.row(id).getByRole('button', { name, exact: true });
  },
  /** With the dialog; `what` is as the choice says it. */
  async pause(what, reason = '') {
    await this.bar.getByRole('button', { name: 'Pause…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Pause' });
    await dialog.getByRole('combobox', { name: 'What' }).selectOption({ label: what });
    await dialog.getByRole('textbox', { name: 'Reason' }).fill(reason);
    await dialog.getByRole('button', { name: 'Pause' }).click();
    await dialog.waitFor({ state: 'detached' });
  }
});

/** The id of the conversation that a window shows. */
export async function conversationOf(window) {
  const title = await window.region.locator('.window-id').getAttribute('title');
  return ['directline', title.replace('Conversation ', '')];
}
