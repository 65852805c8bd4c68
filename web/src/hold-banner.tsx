// That a backup was restored, what it holds back, and how that ends.
import type { Held } from './api/outbox';
import { Moment } from './moment';

export function HoldBanner({ held }: { held: Held | null }) {
  // There before it says anything, so that what it says is announced.
  return (
    <div className="hold" role="status">
      {held && (
        <p>
          A backup was restored <Moment at={held.since} />. What waited in it is not sent: {many(held.notifications, 'notification')} to{' '}
          {many(held.conversations, 'conversation')}. Run <kbd>proact release</kbd> to see them and to say what becomes of them. What is
          accepted from now on goes at once.
        </p>
      )}
    </div>
  );
}

function many(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
