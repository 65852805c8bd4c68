// Holds back what is to be sent to one window's conversation, and lets it go on.
import { useAction } from './action';
import type { ConversationKey } from './api/outbox';
import { useOutbox } from './outbox-context';

export function PauseButton({ conversation, title }: { conversation: ConversationKey; title: string }) {
  const outbox = useOutbox();
  const scope = { scope: 'conversation', conversation } as const;
  const paused = outbox.paused(scope) !== undefined;
  const { busy, error, run } = useAction(() => (paused ? outbox.resume(scope) : outbox.pause(scope, '')));
  const what = paused ? 'Send what waits for this conversation' : 'Hold back what is to be sent to this conversation';
  return (
    <>
      <button
        type="button"
        className="quiet pause"
        aria-label={`${paused ? 'Resume' : 'Pause'} ${title}`}
        aria-busy={busy}
        data-paused={paused || undefined}
        data-failed={error !== undefined || undefined}
        title={error ?? what}
        onClick={() => run()}
      >
        <svg width="12" height="12" viewBox="0 0 12 12" aria-hidden="true" focusable="false">
          <path d={paused ? 'M2 1l9 5-9 5z' : 'M2 1h3v10H2zM7 1h3v10H7z'} fill="currentColor" />
        </svg>
      </button>
      {error && (
        <span className="visually-hidden" role="alert">
          {error}
        </span>
      )}
    </>
  );
}
