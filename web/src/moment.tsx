// Times: told relative to now with the exact time as title, counted down to, or exact.
import { useSyncExternalStore } from 'react';

const STEP_MS = 10_000;
const SECOND_MS = 1000;
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto', style: 'narrow' });
const absolute = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
const day = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' });
const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit', fractionalSecondDigits: 3 });
const minutes = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });

export function Moment({ at }: { at: string }) {
  const now = useSyncExternalStore(onStep, step);
  return <Time at={at} words={time => relativeTo(now, time)} />;
}

/** A time ahead, to the second when it is near. */
export function Until({ at }: { at: string }) {
  const now = useSyncExternalStore(onSecond, second);
  return (
    <Time
      at={at}
      words={time => {
        const seconds = Math.ceil((time - now) / SECOND_MS);
        if (seconds <= 0) return 'now';
        return seconds < 120 ? `in ${seconds} s` : relativeTo(now, time);
      }}
    />
  );
}

/** Since when, to the minute. */
export function Since({ at }: { at: string }) {
  return (
    <Time
      at={at}
      words={time => {
        const date = day.format(time);
        return date === day.format(Date.now()) ? minutes.format(time) : `${date}, ${minutes.format(time)}`;
      }}
    />
  );
}

/** The exact time, in the browser's zone; with its day unless that is today. */
export function Clock({ at }: { at: string }) {
  return (
    <Time
      at={at}
      words={time => {
        const date = day.format(time);
        return date === day.format(Date.now()) ? clock.format(time) : `${date}, ${clock.format(time)}`;
      }}
    />
  );
}

/** How long from one to the other. */
export function took(from: string, to: string): string {
  const ms = Date.parse(to) - Date.parse(from);
  if (ms < 1000) return `${ms} ms`;
  return ms < 60_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 60_000)} min`;
}

function Time({ at, words }: { at: string; words(time: number): string }) {
  const time = Date.parse(at);
  if (Number.isNaN(time)) return <span>{at}</span>;
  return (
    <time dateTime={at} title={`${absolute.format(time)} (${at})`}>
      {words(time)}
    </time>
  );
}

function relativeTo(now: number, time: number): string {
  const seconds = (now - time) / 1000;
  if (Math.abs(seconds) < 45) return 'just now';
  if (Math.abs(seconds) < 3600) return relative.format(-Math.round(seconds / 60), 'minute');
  if (Math.abs(seconds) < 86_400) return relative.format(-Math.round(seconds / 3600), 'hour');
  return relative.format(-Math.round(seconds / 86_400), 'day');
}

/** One clock for all times on the page; it stands still between two steps. */
function step(): number {
  return Math.ceil(Date.now() / STEP_MS) * STEP_MS;
}

function second(): number {
  return Math.floor(Date.now() / SECOND_MS) * SECOND_MS;
}

function onStep(changed: () => void): () => void {
  const timer = setInterval(changed, STEP_MS);
  return () => clearInterval(timer);
}

function onSecond(changed: () => void): () => void {
  const timer = setInterval(changed, SECOND_MS);
  return () => clearInterval(timer);
}
