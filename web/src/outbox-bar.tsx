// The outbox at a glance, across the page: how many are in each state, how old the oldest is that waits, and what can be paused.
import { useState, type RefObject } from 'react';

import { STATES } from './api/notifications';
import { changed } from './filter';
import { Moment } from './moment';
import { useOutbox } from './outbox-context';
import { PauseDialog } from './pause-dialog';

/** There also when there is none of them. */
const ALWAYS = new Set<string>(['waiting', 'sending', 'delivered', 'failed']);

export function OutboxBar({ pauseButton }: { pauseButton: RefObject<HTMLButtonElement> }) {
  const { status, filter, setFilter, meet } = useOutbox();
  const [pausing, setPausing] = useState(false);
  if (!status) return <section className="outbox" aria-label="Outbox" />;

  const { notifications, oldestWaiting, oldestDue } = status;
  const shown = STATES.filter(state => ALWAYS.has(state) || (notifications[state] ?? 0) > 0);
  return (
    <section className="outbox" aria-label="Outbox">
      <ul className="counts">
        {shown.map(state => (
          <li key={state}>
            <button
              type="button"
              className="count"
              data-state={state}
              data-none={notifications[state] === 0 || undefined}
              aria-pressed={filter.state === state}
              title={filter.state === state ? 'Show notifications in every state' : `Show only what is ${state}`}
              onClick={() => setFilter(changed(filter, 'state', filter.state === state ? undefined : state))}
            >
              <span className="count-number">{(notifications[state] ?? 0).toLocaleString('en')}</span> {state}
            </button>
          </li>
        ))}
      </ul>
      {oldestWaiting && (
        <p className="oldest">
          oldest accepted <Moment at={oldestWaiting} />
          {oldestDue && (
            <>
              , due <Moment at={oldestDue} />
            </>
          )}
        </p>
      )}
      <button
        ref={pauseButton}
        type="button"
        className="button small"
        aria-haspopup="dialog"
        onClick={() => {
          meet();
          setPausing(true);
        }}
      >
        Pause…
      </button>
      {pausing && (
        <PauseDialog
          onClose={() => {
            setPausing(false);
            pauseButton.current?.focus();
          }}
        />
      )}
    </section>
  );
}
