// Each activity of one window's conversation, as JSON.
import type { Ref } from 'react';

import type { Activity } from './direct-line';
import { JsonText } from './json-text';
import { Moment } from './moment';
import { Panel } from './panel';
import type { StoredWindow } from './window-storage';

/** Enough to follow a conversation, and few enough to draw at once. */
const SHOWN = 200;

type Props = {
  sectionRef: Ref<HTMLElement>;
  windows: StoredWindow[];
  selected: StoredWindow | undefined;
  activities: Activity[];
  onSelect(number: number): void;
};

export function Inspector({ sectionRef, windows, selected, activities, onSelect }: Props) {
  const choice = (
    <select
      aria-label="Window to inspect"
      value={selected?.number ?? ''}
      disabled={windows.length === 0}
      onChange={event => onSelect(Number(event.target.value))}
    >
      {windows.map(({ number }) => (
        <option key={number} value={number}>
          Window {number}
        </option>
      ))}
    </select>
  );
  return (
    <Panel title="Inspector" className="inspector" count={choice} sectionRef={sectionRef}>
      {activities.length === 0 ? (
        <p className="empty">The activities of the conversation appear here, as JSON.</p>
      ) : (
        <div className="scroll" key={selected?.conversationId}>
          <ul className="rows">
            {activities.slice(0, SHOWN).map((activity, index) => (
              // By its place from the end, where nothing comes in between: an id can be there twice.
              <ActivityRow key={activities.length - index} activity={activity} userId={selected?.userId} />
            ))}
          </ul>
          {activities.length > SHOWN && <p className="empty">The newest {SHOWN} of {activities.length} activities.</p>}
        </div>
      )}
    </Panel>
  );
}

function ActivityRow({ activity, userId }: { activity: Activity; userId: string | undefined }) {
  const who = isFrom(activity, userId) ? 'user' : 'bot';
  const at = activity['timestamp'];
  return (
    <li data-activity={activity.id}>
      <details>
        <summary className="row activity">
          <span className="who" data-who={who}>
            {who}
          </span>
          <span className="row-title">{gist(activity)}</span>
          <span className="row-side row-detail">
            {isProactive(activity, who) && <span className="chip proactive">proactive</span>}
            {typeof at === 'string' && <Moment at={at} />}
          </span>
        </summary>
        <JsonText value={activity} />
      </details>
    </li>
  );
}

function isFrom(activity: Activity, userId: string | undefined): boolean {
  const from = activity['from'] as { id?: string } | undefined;
  return from?.id === userId;
}

/** What a bot says as an answer names the activity that it answers; a proactive message answers none. */
function isProactive(activity: Activity, who: 'user' | 'bot'): boolean {
  return who === 'bot' && activity.type === 'message' && !activity['replyToId'];
}

function gist(activity: Activity): string {
  const text = activity['text'] ?? activity['name'];
  return activity.type === 'message' && typeof text === 'string' ? text : activity.type;
}
