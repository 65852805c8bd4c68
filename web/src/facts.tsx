// What a notification is: to whom, under which policy, at whose word, and its times.
import type { ReactNode } from 'react';

import { useAction } from './action';
import type { Cause, Story } from './api/notifications';
import { changed } from './filter';
import { Clock } from './moment';
import { useOutbox } from './outbox-context';
import { ErrorLine } from './panel';

const POLICIES: Record<string, string> = {
  at_least_once: 'at least once: sent again if nobody knows whether it arrived',
  at_most_once: 'at most once: left to a person if nobody knows whether it arrived'
};
const MOMENTS: Record<string, string> = { after_turn: 'after the turn', interject: 'at once, also inside a turn' };

export function Facts({ story }: { story: Story }) {
  const { filter, setFilter } = useOutbox();
  const { conversation, dueAt, createdAt, expiresAt, settledAt, collapseKey, replayOf } = story;
  return (
    <section className="story-part" aria-label="Details">
      <h3>Details</h3>
      <dl className="facts">
        <Fact name="Id">
          <span className="mono">{story.id}</span>
        </Fact>
        <Fact name="To">
          <span className="mono">
            {conversation.channelId}/{conversation.id}
          </span>{' '}
          <button
            type="button"
            className="link"
            onClick={() => setFilter(changed(filter, 'conversation', filter.conversation ? undefined : conversation))}
          >
            {filter.conversation ? 'show all conversations' : 'show only this conversation'}
          </button>
        </Fact>
        <Fact name="Cause">
          <Why cause={story.cause} />
        </Fact>
        {replayOf && (
          <Fact name="Replay of">
            <NotificationLink id={replayOf} />
          </Fact>
        )}
        <Fact name="Priority">{story.priority}</Fact>
        <Fact name="Policy">{POLICIES[story.policy] ?? story.policy}</Fact>
        <Fact name="Moment">{MOMENTS[story.moment] ?? story.moment}</Fact>
        {collapseKey && <Fact name="Collapses">{collapseKey}</Fact>}
        <Fact name="Accepted">
          <Clock at={createdAt} />
        </Fact>
        {Date.parse(dueAt) > Date.parse(createdAt) && (
          <Fact name="Not before">
            <Clock at={dueAt} />
          </Fact>
        )}
        {expiresAt && (
          <Fact name="Expires">
            <Clock at={expiresAt} />
          </Fact>
        )}
        {settledAt && (
          <Fact name="Settled">
            <Clock at={settledAt} />
          </Fact>
        )}
        {story.reason && <Fact name="Reason">{story.reason}</Fact>}
      </dl>
    </section>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}

function Why({ cause }: { cause: Cause }): ReactNode {
  switch (cause.type) {
    case 'job':
      return `job ${cause.job}`;
    case 'progress':
      return `the progress of job ${cause.job}`;
    case 'bot':
      return "the bot's own code";
    case 'api':
      return 'the HTTP API';
    case 'command_line':
      return 'the command line';
    case 'beside':
      return cause.notification ? (
        <>
          sent beside <NotificationLink id={cause.notification} />
        </>
      ) : (
        'sent beside another'
      );
    default:
      return cause.type;
  }
}

/** Leads to another one's story. */
export function NotificationLink({ id, children }: { id: string; children?: ReactNode }) {
  const { open } = useOutbox();
  const { busy, error, run } = useAction(() => open(id));
  return (
    <>
      <button type="button" className="link" aria-busy={busy} onClick={() => run()}>
        {children ?? <span className="mono">{id}</span>}
      </button>
      {error && <ErrorLine text={error} />}
    </>
  );
}
