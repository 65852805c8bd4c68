// The jobs, newest first.
import type { Job, JobEnd } from './api/jobs';
import { JobRow } from './job-row';
import type { LiveList } from './live-list';
import { OlderButton, Panel } from './panel';

type Props = { jobs: LiveList<Job>; onEnd(number: number, end: JobEnd): Promise<void>; onOlder(): Promise<void> };

export function JobsPanel({ jobs, onEnd, onOlder }: Props) {
  return (
    <Panel title="Jobs" className="jobs">
      {jobs.items.length === 0 ? (
        <p className="empty">{jobs.loaded ? 'No job yet. Type run in a window to start one.' : 'Reading…'}</p>
      ) : (
        <div className="scroll">
          <ul className="rows">
            {jobs.items.map(job => (
              <JobRow key={job.number} job={job} onEnd={onEnd} />
            ))}
          </ul>
          {jobs.next !== null && <OlderButton what="jobs" onOlder={onOlder} />}
        </div>
      )}
    </Panel>
  );
}
