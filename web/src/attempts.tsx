// What was tried, when, how it ended and what came back.
import type { Attempt } from './api/notifications';
import { Clock, took } from './moment';

export function Attempts({ attempts }: { attempts: Attempt[] }) {
  return (
    <section className="story-part" aria-label="Attempts">
      <h3>Attempts</h3>
      {attempts.length === 0 && <p className="story-text">None yet.</p>}
      <ol className="attempts">
        {attempts.map(attempt => (
          <li key={attempt.number} value={attempt.number} data-outcome={attempt.outcome ?? 'under_way'}>
            <span className="chip" data-state={attempt.outcome ?? 'sending'}>
              {attempt.outcome?.replaceAll('_', ' ') ?? 'under way'}
            </span>
            {attempt.status !== null && <span className="mono">HTTP {attempt.status}</span>}
            <span className="attempt-time">
              <Clock at={attempt.begunAt} />
              {attempt.endedAt && `, took ${took(attempt.begunAt, attempt.endedAt)}`}
            </span>
            {attempt.error && <p className="attempt-error">{attempt.error}</p>}
          </li>
        ))}
      </ol>
    </section>
  );
}
