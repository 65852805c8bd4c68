// A small form that opens in place of a button: Enter does it, Escape goes back. Its first field has the focus.
import { useEffect, useRef, type FormEvent, type KeyboardEvent, type ReactNode } from 'react';

import { useAction } from './action';
import { ErrorLine } from './panel';

type Props = {
  label: string;
  submit: string;
  /** What else can be done here. */
  more?: ReactNode;
  onSubmit(fields: FormData): Promise<void>;
  onClose(): void;
  children: ReactNode;
};

export function InlineForm({ label, submit, more, onSubmit, onClose, children }: Props) {
  const form = useRef<HTMLFormElement>(null);
  const { busy, error, run } = useAction(onSubmit);

  useEffect(() => form.current?.querySelector<HTMLElement>('input, select')?.focus(), []);

  const send = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    void run(new FormData(event.currentTarget));
  };
  const back = (event: KeyboardEvent) => {
    if (event.key !== 'Escape') return;
    event.stopPropagation();
    event.preventDefault();
    onClose();
  };
  return (
    <form ref={form} className="inline-form" aria-label={label} onSubmit={send} onKeyDown={back}>
      {children}
      <div className="actions">
        <button type="submit" className="button small strong" aria-busy={busy}>
          {submit}
        </button>
        {more}
        <button type="button" className="button small" onClick={onClose}>
          Back
        </button>
      </div>
      {error && <ErrorLine text={error} />}
    </form>
  );
}
