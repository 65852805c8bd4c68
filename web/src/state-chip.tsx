// A state in its own colour and its own word, so that it can be read without the colour.

export function StateChip({ state }: { state: string }) {
  return (
    <span className="chip" data-state={state}>
      {state}
    </span>
  );
}
