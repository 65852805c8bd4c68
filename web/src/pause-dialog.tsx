// What is to be paused, and why. Escape closes it, and the focus goes back to where it was.
import { useEffect, useId, useRef, type FormEvent } from 'react';

import { useAction } from './action';
import type { Scope } from './api/outbox';
import { useConversationOptions } from './conversation-options';
import { useOutbox } from './outbox-context';
import { ErrorLine } from './panel';

/** Characters of a reason at most, at the server too. */
const REASON = 500;

export function PauseDialog({ onClose }: { onClose(): void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const title = useId();
  const outbox = useOutbox();
  const options = useConversationOptions();
  const channels = [...new Set(options.map(({ conversation }) => conversation.channelId))].sort();

  useEffect(() => dialog.current?.showModal(), []);

  const { busy, error, run } = useAction(async (fields: FormData) => {
    await outbox.pause(JSON.parse(String(fields.get('scope'))) as Scope, String(fields.get('reason')).trim());
    dialog.current?.close();
  });
  const send = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    void run(new FormData(event.currentTarget));
  };

  return (
    <dialog ref={dialog} className="dialog" aria-labelledby={title} onClose={onClose}>
      <form onSubmit={send}>
        <h2 id={title}>Pause</h2>
        <p className="dialog-text">Nothing of it is sent until it is resumed, also across a restart. What is on its way is not cut.</p>
        <label className="field">
          What
          <select name="scope" autoFocus>
            <option value={value({ scope: 'all' })}>Everything</option>
            <optgroup label="A channel">
              {channels.map(channelId => (
                <option key={channelId} value={value({ scope: 'channel', channelId })}>
                  The channel {channelId}
                </option>
              ))}
            </optgroup>
            <optgroup label="A conversation">
              {options.map(({ value: key, label, conversation }) => (
                <option key={key} value={value({ scope: 'conversation', conversation })}>
                  {label}
                </option>
              ))}
            </optgroup>
          </select>
        </label>
        <label className="field">
          Reason
          <input name="reason" maxLength={REASON} placeholder="For whoever looks at it" autoComplete="off" />
        </label>
        <div className="actions">
          <button type="submit" className="button strong" aria-busy={busy}>
            Pause
          </button>
          <button type="button" className="button" onClick={() => dialog.current?.close()}>
            Back
          </button>
        </div>
        {error && <ErrorLine text={error} />}
      </form>
    </dialog>
  );
}

function value(scope: Scope): string {
  return JSON.stringify(scope);
}
