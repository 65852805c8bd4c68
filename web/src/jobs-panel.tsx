// The jobs, newest first, each with a button that completes it.
import type { Job, JobProgress } from './api';
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
  const unfinished = job.completedAt === null;
  return (
    <li className="row" data-job={job.number}>
      <span className="row-title">
        Job {job.number}
        {job.title && ` · ${job.title}`}
      </span>
      <span className="row-side">
        <StateChip state={job.state} />
        {unfinished && (
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
            · {job.state === 'succeeded' ? 'completed' : 'ended'} <Moment at={job.completedAt} />
          </>
        )}
        {unfinished && job.deadline && (
          <>
            {' '}
            · due <Moment at={job.deadline} />
          </>
        )}
        {unfinished && job.silentAt && (
          <>
            {' '}
            · no news, told <Moment at={job.silentAt} />
          </>
        )}
        {job.reason && ` · ${job.reason}`}
      </span>
      {unfinished && job.progress && <Progress job={job.number} progress={job.progress} />}
      {error && <ErrorLine text={error} />}
    </li>
  );
}

function Progress({ job, progress }: { job: number; progress: JobProgress }) {
  const { percent, text } = progress;
  return (
    <span className="row-detail job-progress">
      {percent !== null && (
        <>
          <progress max={100} value={percent} aria-label={`Progress of job ${job}`} /> {percent} %{' '}
        </>
      )}
      {text}
    </span>
  );
}
