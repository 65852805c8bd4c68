// One notification's story: what can be done about it, why it waits, what was tried and what came back, and what it is.
import { useEffect, useRef, useState } from 'react';

import { words } from './api/http';
import { getNotification, type Notification, type Story } from './api/notifications';
import { Attempts } from './attempts';
import { Facts } from './facts';
import { Gates } from './gates';
import { JsonText } from './json-text';
import { useOutbox } from './outbox-context';
import { ErrorLine } from './panel';
import { StoryActions } from './story-actions';

/** While it waits, what it waits for can change without a change of its own: a turn ends, a host is tried again. */
const LOOK_AGAIN_MS = 3000;

type Props = { notification: Notification; onRead(notification: Notification): void; onDone(): void };

export function StoryOf({ notification, onRead, onDone }: Props) {
  const { story, error } = useStory(notification, onRead);
  return (
    <div className="story">
      <StoryActions notification={notification} onDone={onDone} />
      {error && <ErrorLine text={error} />}
      {!story && !error && <p className="story-text">Reading…</p>}
      {story && (
        <>
          {story.mayHaveArrived && story.state !== 'delivered' && (
            <p className="story-text warning">It may have arrived: nobody knows how one of its attempts ended.</p>
          )}
          {story.state === 'waiting' && <Gates story={story} onDone={onDone} />}
          <Attempts attempts={story.attempts} />
          <Facts story={story} />
          {story.activity !== undefined && <Content title="Activity" value={story.activity} />}
          {story.template !== undefined && <Content title="Template" value={story.template} />}
        </>
      )}
    </div>
  );
}

function Content({ title, value }: { title: string; value: unknown }) {
  return (
    <details className="content">
      <summary>{title}</summary>
      <JsonText value={value} />
    </details>
  );
}

/** Read when it opens, when it changes, when pauses and hosts do, and from time to time while it waits. */
function useStory(notification: Notification, onRead: Props['onRead']) {
  const { status } = useOutbox();
  const [story, setStory] = useState<Story>();
  const [error, setError] = useState<string>();
  const [looks, setLooks] = useState(0);
  const { id, state, tries, dueAt, settledAt } = notification;
  const obstacles = JSON.stringify([status?.pauses, status?.breakers, status?.heldSince]);
  const tell = useRef(onRead);
  tell.current = onRead;

  useEffect(() => {
    let current = true;
    getNotification(id)
      .then(found => {
        if (!current) return;
        setStory(found);
        setError(undefined);
        tell.current(found);
      })
      .catch((reason: unknown) => current && setError(words(reason)));
    return () => {
      current = false;
    };
  }, [id, state, tries, dueAt, settledAt, obstacles, looks]);

  useEffect(() => {
    if (state !== 'waiting' && state !== 'sending') return;
    const timer = setInterval(() => document.visibilityState === 'visible' && setLooks(count => count + 1), LOOK_AGAIN_MS);
    return () => clearInterval(timer);
  }, [state]);

  return { story, error };
}
