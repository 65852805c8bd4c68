// What keeps accepted messages waiting, each in a line of its own: a restored backup that is held, pauses, hosts that are out of order.
import { useAction } from './action';
import type { Breaker, Held, Pause } from './api/outbox';
import { HoldBanner } from './hold-banner';
import { Since, Until } from './moment';
import { useOutbox } from './outbox-context';
import { ErrorLine } from './panel';
import { useScopeName } from './scope-name';

/** Of each kind; the others are counted. */
const SHOWN = 4;

type Props = {
  held: Held | null;
  /** A line goes with its button, and the focus must not go with them. */
  onResumed(): void;
};

export function Obstacles({ held, onResumed }: Props) {
  const { status } = useOutbox();
  const [pauses, breakers] = [status?.pauses ?? [], status?.breakers ?? []];
  return (
    <div className="obstacles">
      <HoldBanner held={held} />
      <ul aria-label="What keeps messages waiting">
        {pauses.slice(0, SHOWN).map(pause => (
          <PauseLine key={JSON.stringify([pause.scope, pause.at])} pause={pause} onResumed={onResumed} />
        ))}
        <More count={(status?.paused ?? 0) - SHOWN} what="paused" />
        {breakers.slice(0, SHOWN).map(breaker => (
          <BreakerLine key={breaker.host} breaker={breaker} />
        ))}
        <More count={breakers.length - SHOWN} what="out of order" />
      </ul>
      <Told pauses={pauses} breakers={breakers} />
    </div>
  );
}

function PauseLine({ pause, onResumed }: { pause: Pause; onResumed(): void }) {
  const outbox = useOutbox();
  const name = useScopeName()(pause);
  const { busy, error, run } = useAction(async () => {
    await outbox.resume(pause);
    onResumed();
  });
  return (
    <li className="obstacle" data-pause={pause.scope}>
      <span className="obstacle-text">
        <b>{name}</b> paused since <Since at={pause.at} />
        {pause.reason && ` · ${pause.reason}`}
      </span>
      <button type="button" className="button small" aria-label={`Resume: ${name}`} aria-busy={busy} onClick={() => run()}>
        Resume
      </button>
      {error && <ErrorLine text={error} />}
    </li>
  );
}

function BreakerLine({ breaker: { host, reason, since, until } }: { breaker: Breaker }) {
  return (
    <li className="obstacle" data-breaker={host}>
      <span className="obstacle-text">
        <b className="mono">{host}</b> out of order since <Since at={since} /> · tried again <Until at={until} /> · {reason}
      </span>
    </li>
  );
}

function More({ count, what }: { count: number; what: string }) {
  return count > 0 ? (
    <li className="obstacle">
      and {count} more {what}
    </li>
  ) : null;
}

/** Read out when it changes, without the times, which would be read out each time they grow. */
function Told({ pauses, breakers }: { pauses: Pause[]; breakers: Breaker[] }) {
  const name = useScopeName();
  const paused = pauses.slice(0, SHOWN).map(pause => `${name(pause)} is paused.`);
  const broken = breakers.slice(0, SHOWN).map(({ host }) => `${host} is out of order.`);
  return (
    <p className="visually-hidden" role="status">
      {[...paused, ...broken].join(' ')}
    </p>
  );
}
