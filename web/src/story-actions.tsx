// What can be done about one notification in the state in which it is. What cannot be done is not shown.
import { useRef, useState, type ReactNode } from 'react';

import { useAction } from './action';
import { cancel, replay, reschedule, type Notification } from './api/notifications';
import { NotificationLink } from './facts';
import { Clock } from './moment';
import { useOutbox } from './outbox-context';
import { ErrorLine } from './panel';
import { RescheduleForm } from './reschedule-form';

type Props = { notification: Notification; onDone(): void };

export function StoryActions({ notification, onDone }: Props) {
  const { id, state, conversation } = notification;
  const { paused, pause, resume } = useOutbox();
  const [result, setResult] = useState<ReactNode>();
  const [moving, setMoving] = useState(false);
  const moveButton = useRef<HTMLButtonElement>(null);
  /** The same until it was answered: who got no answer and asks again has it replayed once. */
  const key = useRef(crypto.randomUUID());
  const scope = { scope: 'conversation', conversation } as const;

  const action = useAction(async (what: () => Promise<void>) => {
    setResult(undefined);
    await what();
  });
  const busy = action.busy;

  const cancelIt = async () => {
    const { mayHaveArrived } = await cancel(id);
    setResult(`Cancelled: nothing more is sent.${mayHaveArrived ? ' An earlier attempt may have arrived.' : ''}`);
    // The button goes with the state that allowed it: the focus must not go with it.
    onDone();
  };
  const replayIt = async () => {
    const accepted = await replay(id, key.current);
    key.current = crypto.randomUUID();
    setResult(
      <>
        Accepted again as another notification. <NotificationLink id={accepted.id}>Show it</NotificationLink>
      </>
    );
  };
  const pauseIt = () => (paused(scope) ? resume(scope) : pause(scope, ''));

  const closeForm = () => {
    setMoving(false);
    // After it is there again.
    setTimeout(() => (moveButton.current ?? { focus: onDone }).focus());
  };
  const move = async (time: Date) => {
    const { notBefore } = await reschedule(id, time.toISOString());
    setResult(time.getTime() <= Date.now() ? 'Moved: it goes at once.' : <>Moved: not before <Clock at={notBefore} />.</>);
    closeForm();
  };

  const waits = state === 'waiting';
  return (
    <div className="story-actions">
      {moving && waits ? (
        <RescheduleForm dueAt={notification.dueAt} onMove={move} onClose={closeForm} />
      ) : (
        <div className="actions" role="group" aria-label="Actions">
          {waits && (
            <button type="button" className="button small" aria-busy={busy} onClick={() => action.run(cancelIt)}>
              Cancel
            </button>
          )}
          {waits && (
            <button ref={moveButton} type="button" className="button small" onClick={() => setMoving(true)}>
              Reschedule…
            </button>
          )}
          {(state === 'failed' || state === 'unknown') && (
            <button type="button" className="button small" aria-busy={busy} onClick={() => action.run(replayIt)}>
              Replay
            </button>
          )}
          <button type="button" className="button small" aria-busy={busy} onClick={() => action.run(pauseIt)}>
            {paused(scope) ? 'Resume conversation' : 'Pause conversation'}
          </button>
        </div>
      )}
      <div className="result" role="status">
        {result}
      </div>
      {action.error && <ErrorLine text={action.error} />}
    </div>
  );
}
