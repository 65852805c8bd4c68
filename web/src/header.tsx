// Who this is, what to type, and whether the page hears the server.
import type { FeedState } from './resources';

const FEED: Record<FeedState, string> = {
  connecting: 'Connecting…',
  live: 'Live',
  reconnecting: 'Reconnecting…'
};

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
    </header>
  );
}
