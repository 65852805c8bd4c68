// A titled part of the right side.
import { useId, useState, type ReactNode, type Ref } from 'react';

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
      <button type="button" className="older" disabled={busy} onClick={run}>
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

/** Something a button does at the server: busy while it is under way, with the error if there was one. */
export function useAction(action: () => Promise<void>) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string>();
  const run = async () => {
    setBusy(true);
    setError(undefined);
    await action().catch((reason: unknown) => setError(words(reason)));
    setBusy(false);
  };
  return { busy, error, run };
}

function words(reason: unknown): string {
  if (reason instanceof TypeError) return 'The server cannot be reached just now.';
  return reason instanceof Error ? reason.message : String(reason);
}
