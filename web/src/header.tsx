// Who this is, what to type, whether the page hears the server, and the way out for who has signed in.
import { useAction } from './action';
import { signOut } from './api/session';
import type { FeedState } from './resources';

const FEED: Record<FeedState, string> = {
  connecting: 'Connecting…',
  live: 'Live',
  reconnecting: 'Reconnecting…'
};

/** The server says so in the page itself. */
const SIGNED_IN = document.querySelector<HTMLMetaElement>('meta[name="signed-in"]')?.content === 'yes';

function SignOut() {
  const { busy, error, run } = useAction(signOut);
  return (
    <>
      {error && (
        <span className="error" role="alert">
          {error}
        </span>
      )}
      <button type="button" className="button small" aria-busy={busy} onClick={() => run()}>
        Sign out
      </button>
    </>
  );
}

export function Header({ feed }: { feed: FeedState }) {
  return (
    <header className="header">
      <h1>
        <img src="/icon.svg" alt="" width="26" height="26" />
        Proact
      </h1>
      <p className="hint">
        Type <kbd>run</kbd> to start a job, <kbd>show</kbd> to list the jobs, <kbd>done &lt;number&gt;</kbd> to complete one.
      </p>
      <p className="feed" data-state={feed} role="status">
        {FEED[feed]}
      </p>
      {SIGNED_IN && <SignOut />}
    </header>
  );
}
