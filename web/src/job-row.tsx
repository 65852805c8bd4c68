// One job: its state, how far it is, and what ends it while it is not at its end.
import { memo, useRef, useState } from 'react';

import { useAction } from './action';
import type { Job, JobEnd, JobProgress } from './api/jobs';
import { ConversationName } from './conversation-name';
import { NotificationLink } from './facts';
import { InlineForm } from './inline-form';
import { Moment } from './moment';
import { ErrorLine } from './panel';
import { StateChip } from './state-chip';

type Props = { job: Job; onEnd(number: number, end: JobEnd): Promise<void> };
type Asking = 'fail' | 'cancel';

export const JobRow = memo(function JobRow({ job, onEnd }: Props) {
  const { number } = job;
  const row = useRef<HTMLLIElement>(null);
  const [asking, setAsking] = useState<Asking>();
  const { busy, error, run } = useAction(async (end: JobEnd) => {
    await onEnd(number, end);
    // The buttons go with the state that allowed them: the focus must not go with them.
    row.current?.focus({ preventScroll: true });
  });
  const unfinished = job.completedAt === null;
  const back = () => {
    const what = asking;
    setAsking(undefined);
    setTimeout(() => row.current?.querySelector<HTMLElement>(`[data-asks="${what}"]`)?.focus());
  };
  return (
    <li ref={row} className="row job" data-job={number} tabIndex={-1} aria-label={`Job ${number}`}>
      <span className="row-title">
        Job {number}
        {job.title && ` · ${job.title}`}
      </span>
      <StateChip state={job.state} />
      <Detail job={job} unfinished={unfinished} />
      {unfinished && job.progress && <Progress job={number} progress={job.progress} />}
      {unfinished && !asking && (
        <span className="actions" role="group" aria-label={`Job ${number}`}>
          <button
            type="button"
            className="button small"
            aria-label={`Complete job ${number}`}
            aria-busy={busy}
            onClick={() => run({ how: 'complete' })}
          >
            Complete
          </button>
          <AskButton what="fail" words="Fail…" number={number} onAsk={setAsking} />
          <AskButton what="cancel" words="Cancel…" number={number} onAsk={setAsking} />
        </span>
      )}
      {unfinished && asking && (
        <EndForm
          number={number}
          what={asking}
          onEnd={async end => {
            await onEnd(number, end);
            setAsking(undefined);
            row.current?.focus({ preventScroll: true });
          }}
          onClose={back}
        />
      )}
      {error && <ErrorLine text={error} />}
    </li>
  );
});

function AskButton({ what, words, number, onAsk }: { what: Asking; words: string; number: number; onAsk(what: Asking): void }) {
  const name = `${what === 'fail' ? 'Fail' : 'Cancel'} job ${number}`;
  return (
    <button type="button" className="button small" data-asks={what} aria-label={name} onClick={() => onAsk(what)}>
      {words}
    </button>
  );
}

/** Its conversation is told, so what it is told can be said here. */
function EndForm({ number, what, onEnd, onClose }: { number: number; what: Asking; onEnd(end: JobEnd): Promise<void>; onClose(): void }) {
  const submit = what === 'fail' ? 'Fail the job' : 'Cancel the job';
  const send = (fields: FormData) => {
    const text = (name: string) => String(fields.get(name) ?? '').trim();
    const [reason, message] = [text('reason'), text('message')];
    return onEnd({ how: what, ...(reason && { reason }), ...(message && { message }) });
  };
  return (
    <InlineForm label={`${submit} ${number}`} submit={submit} onSubmit={send} onClose={onClose}>
      {what === 'fail' && (
        <label className="field">
          Reason
          <input name="reason" autoComplete="off" placeholder="Why it failed" />
        </label>
      )}
      <label className="field">
        Message
        <input name="message" autoComplete="off" placeholder="Instead of the usual words" />
      </label>
    </InlineForm>
  );
}

function Detail({ job, unfinished }: { job: Job; unfinished: boolean }) {
  return (
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
      {job.notificationId && (
        <>
          {' · '}
          <NotificationLink id={job.notificationId}>message</NotificationLink>
        </>
      )}
    </span>
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
