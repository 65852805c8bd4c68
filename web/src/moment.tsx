// A time, told relative to now, with the exact time as its title.
import { useSyncExternalStore } from 'react';

const STEP_MS = 10_000;
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto', style: 'narrow' });
const absolute = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });

export function Moment({ at }: { at: string }) {
  const now = useSyncExternalStore(onStep, step);
  const time = Date.parse(at);
  if (Number.isNaN(time)) return <span>{at}</span>;
  return (
    <time dateTime={at} title={`${absolute.format(time)} (${at})`}>
      {ago(now - time)}
    </time>
  );
}

function ago(ms: number): string {
  const seconds = ms / 1000;
  if (Math.abs(seconds) < 45) return 'just now';
  if (Math.abs(seconds) < 3600) return relative.format(-Math.round(seconds / 60), 'minute');
  if (Math.abs(seconds) < 86_400) return relative.format(-Math.round(seconds / 3600), 'hour');
  return relative.format(-Math.round(seconds / 86_400), 'day');
}

/** One clock for all times on the page; it stands still between two steps. */
function step(): number {
  return Math.ceil(Date.now() / STEP_MS) * STEP_MS;
}

function onStep(changed: () => void): () => void {
  const timer = setInterval(changed, STEP_MS);
  return () => clearInterval(timer);
}
