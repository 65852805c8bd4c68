// Another time for a notification that waits, in the browser's zone.
import { useAction } from './action';
import { InlineForm } from './inline-form';
import { ErrorLine } from './panel';

const MINUTE_MS = 60_000;

type Props = { dueAt: string; onMove(time: Date): Promise<void>; onClose(): void };

export function RescheduleForm({ dueAt, onMove, onClose }: Props) {
  const now = useAction(() => onMove(new Date()));
  const first = Math.max(Date.parse(dueAt) || 0, Date.now() + 10 * MINUTE_MS);
  return (
    <InlineForm
      label="Reschedule"
      submit="Move"
      more={
        <button type="button" className="button small" aria-busy={now.busy} onClick={() => now.run()}>
          Send at once
        </button>
      }
      onSubmit={fields => onMove(new Date(String(fields.get('time'))))}
      onClose={onClose}
    >
      <label className="field">
        Not before
        <input name="time" type="datetime-local" step="1" required defaultValue={local(first)} />
      </label>
      {now.error && <ErrorLine text={now.error} />}
    </InlineForm>
  );
}

/** As the field wants it: without a zone, to the second. */
function local(ms: number): string {
  const time = new Date(ms);
  return new Date(ms - time.getTimezoneOffset() * MINUTE_MS).toISOString().slice(0, 19);
}
