// Which notifications are listed: by state, priority and conversation.
import { PRIORITIES, STATES, type Filter } from './api/notifications';
import { conversationValue, useConversationOptions } from './conversation-options';
import { changed, isEmpty } from './filter';
import { useOutbox } from './outbox-context';

export function NotificationFilter() {
  const { filter, setFilter, meet } = useOutbox();
  const options = useConversationOptions(filter.conversation);
  const choose = (name: 'state' | 'priority', value: string) => setFilter(changed(filter, name, value || undefined));
  return (
    <div className="filters" role="group" aria-label="Filter">
      <Words filter={filter} name="state" any="State" words={STATES} onChoose={choose} />
      <Words filter={filter} name="priority" any="Priority" words={PRIORITIES} onChoose={choose} />
      <select
        aria-label="Only this conversation"
        data-set={filter.conversation !== undefined || undefined}
        value={filter.conversation ? conversationValue(filter.conversation) : ''}
        onFocus={meet}
        onChange={event => setFilter(changed(filter, 'conversation', options.find(({ value }) => value === event.target.value)?.conversation))}
      >
        <option value="">Conversation</option>
        {options.map(({ value, label }) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </select>
      {!isEmpty(filter) && (
        <button type="button" className="quiet" aria-label="Show all notifications" title="Show all" onClick={() => setFilter({})}>
          ×
        </button>
      )}
    </div>
  );
}

type WordsProps = {
  filter: Filter;
  name: 'state' | 'priority';
  any: string;
  words: readonly string[];
  onChoose(name: 'state' | 'priority', value: string): void;
};

function Words({ filter, name, any, words, onChoose }: WordsProps) {
  return (
    <select
      aria-label={`Only this ${name}`}
      data-set={filter[name] !== undefined || undefined}
      value={filter[name] ?? ''}
      onChange={event => onChoose(name, event.target.value)}
    >
      <option value="">{any}</option>
      {words.map(word => (
        <option key={word}>{word}</option>
      ))}
    </select>
  );
}
