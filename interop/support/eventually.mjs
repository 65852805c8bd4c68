// Waiting for what must come, with a limit that is only there to end a test that would hang.
const PATIENCE_MS = 30_000;
const PAUSE_MS = 10;

export async function eventually(holds, what) {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const found = await holds();
    if (found) return found;
    if (Date.now() > end) throw new Error(`never came: ${what}`);
    await new Promise(resolve => setTimeout(resolve, PAUSE_MS));
  }
}
