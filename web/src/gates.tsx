// Why a notification waits, in words, and when that is looked at again.
import type { ReactNode } from 'react';

import { useAction } from './action';
import type { Gate, Story } from './api/notifications';
import type { Scope } from './api/outbox';
import { Until } from './moment';
import { useOutbox } from './outbox-context';
import { ErrorLine } from './panel';
import { useScopeName } from './scope-name';

export function Gates({ story, onDone }: { story: Story; onDone(): void }) {
  const gates = story.gates ?? [];
  return (
    <section className="story-part" aria-label="Why it waits">
      <h3>Why it waits</h3>
      <ul className="gates">
        {gates.length === 0 && <li>Nothing holds it back: it goes as soon as it is its turn.</li>}
        {gates.map((gate, index) => (
          <li key={index} data-gate={gate.gate}>
            <Words gate={gate} tried={story.tries > 0} onDone={onDone} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function Words({ gate, tried, onDone }: { gate: Gate; tried: boolean; onDone(): void }): ReactNode {
  const until = gate.until && <Until at={gate.until} />;
  switch (gate.gate) {
    case 'not_yet':
      return tried ? <>It is tried again {until}.</> : <>It is for later: it goes {until}.</>;
    case 'behind':
      return <>An earlier one to its conversation goes first, and is tried again {until}.</>;
    case 'inside_turn':
      return 'A turn of its conversation is under way. It goes when that ends.';
    case 'paused':
      return gate.scope ? <Paused scope={gate.scope} onDone={onDone} /> : 'It is paused. It goes when that is resumed.';
    case 'breaker':
      return (
        <>
          <span className="mono">{gate.host}</span> is out of order, and is tried again {until}: {gate.reason}
        </>
      );
    case 'held':
      return 'A backup was restored, and it is held until proact release says what becomes of it.';
    case 'no_contact':
      return 'Nobody in its conversation has talked to the bot: it will be suppressed when its turn comes.';
    case 'dead':
      return `Its conversation cannot be written to, and it will be suppressed when its turn comes: ${gate.reason ?? 'not said why'}`;
    default:
      return [gate.gate.replaceAll('_', ' '), gate.reason].filter(Boolean).join(': ');
  }
}

function Paused({ scope, onDone }: { scope: Scope; onDone(): void }) {
  const outbox = useOutbox();
  const name = useScopeName()(scope);
  const { busy, error, run } = useAction(async () => {
    await outbox.resume(scope);
    onDone();
  });
  return (
    <>
      {name} is paused. It goes when that is resumed.{' '}
      <button type="button" className="link" aria-busy={busy} onClick={() => run()}>
        Resume
      </button>
      {error && <ErrorLine text={error} />}
    </>
  );
}
