// A value as indented JSON, coloured. Everything is a text node.

const TOKENS = /("(?:\\.|[^"\\])*")(\s*:)?|\b(?:true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/gu;

export function JsonText({ value }: { value: unknown }) {
  return (
    <pre className="json" tabIndex={0} aria-label="Activity as JSON">
      {coloured(JSON.stringify(value, undefined, 2))}
    </pre>
  );
}

function coloured(json: string) {
  const parts = [];
  let end = 0;
  for (const match of json.matchAll(TOKENS)) {
    const [all, text, colon] = match;
    parts.push(json.slice(end, match.index));
    const kind = text === undefined ? 'literal' : colon === undefined ? 'string' : 'key';
    parts.push(
      <span key={match.index} className={`json-${kind}`}>
        {all}
      </span>
    );
    end = match.index + all.length;
  }
  parts.push(json.slice(end));
  return parts;
}
