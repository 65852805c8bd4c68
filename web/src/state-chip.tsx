// A state in its own colour and its own word, so that it can be read without the colour.

export function StateChip({ state }: { state: string }) {
  return (
    // A new key makes a new element, whose animation runs anew.
    <span key={state} className="chip" data-state={state}>
      {state.replaceAll('_', ' ')}
    </span>
  );
}
