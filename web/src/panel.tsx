// A titled part of the right side.
import { useId, type ReactNode, type Ref } from 'react';

import { useAction } from './action';

type Props = { title: string; count?: ReactNode; className: string; sectionRef?: Ref<HTMLElement>; children: ReactNode };

export function Panel({ title, count, className, sectionRef, children }: Props) {
  const id = useId();
  return (
    <section ref={sectionRef} className={`panel ${className}`} aria-labelledby={id} tabIndex={-1}>
      <div className="panel-head">
        <h2 id={id}>{title}</h2>
        {count}
      </div>
      {children}
    </section>
  );
}

/** Reads the next part of a list. */
export function OlderButton({ what, onOlder }: { what: string; onOlder(): Promise<void> }) {
  const { busy, error, run } = useAction(onOlder);
  return (
    <>
      <button type="button" className="older" aria-busy={busy} onClick={() => run()}>
        Show older {what}
      </button>
      {error && <ErrorLine text={error} />}
    </>
  );
}

export function ErrorLine({ text }: { text: string }) {
  return (
    <p className="error" role="alert">
      {text}
    </p>
  );
}
