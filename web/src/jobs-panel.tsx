// The jobs, newest first, each with a button that completes it.
import type { Job } from './api';
import { ConversationName } from './conversation-name';
import type { LiveList } from './live-list';
import { Moment } from './moment';
import { ErrorLine, OlderButton, Panel, useAction } from './panel';
import { StateChip } from './state-chip';

type Props = { jobs: LiveList<Job>; onComplete(number: number): Promise<void>; onOlder(): Promise<void> };

export function JobsPanel({ jobs, onComplete, onOlder }: Props) {
  return (
    <Panel title="Jobs" className="jobs">
      {jobs.items.length === 0 ? (
        <p className="empty">{jobs.loaded ? 'No job yet. Type run in a window to start one.' : 'Reading…'}</p>
      ) : (
        <div className="scroll">
          <ul className="rows">
            {jobs.items.map(job => (
              <JobRow key={job.number} job={job} onComplete={onComplete} />
            ))}
          </ul>
          {jobs.next !== null && <OlderButton what="jobs" onOlder={onOlder} />}
        </div>
      )}
    </Panel>
  );
}

function JobRow({ job, onComplete }: { job: Job; onComplete(number: number): Promise<void> }) {
  const { busy, error, run } = useAction(() => onComplete(job.number));
  const running = job.state === 'running';
  return (
    <li className="row" data-job={job.number}>
      <span className="row-title">Job {job.number}</span>
      <span className="row-side">
        <StateChip state={job.state} />
        {running && (
          <button type="button" className="button small" aria-label={`Complete job ${job.number}`} disabled={busy} onClick={run}>
            Complete
          </button>
        )}
      </span>
      <span className="row-detail">
        <ConversationName conversation={job.conversation} /> · started <Moment at={job.createdAt} />
        {job.completedAt && (
          <>
            {' '}
            · completed <Moment at={job.completedAt} />
          </>
        )}
      </span>
      {error && <ErrorLine text={error} />}
    </li>
  );
}
