// One conversation in its frame: what it is called, how the connection is, and Web Chat.
import { useEffect, useRef } from 'react';

import { useChat, type ChatEvents } from './chat';
import { OWN_CHANNEL, shortId } from './conversation-name';
import { PauseButton } from './pause-button';
import { WebChat } from './web-chat';
import { linkTo, type StoredWindow } from './window-storage';

type Props = ChatEvents & {
  window: StoredWindow;
  inspected: boolean;
  focusOnOpen: boolean;
  onClose(number: number): void;
  onInspect(number: number): void;
};

export function ChatWindow({ window, inspected, focusOnOpen, onClose, onInspect, ...events }: Props) {
  const { number, conversationId } = window;
  const chat = useChat(window, events);
  const frame = useRef<HTMLElement>(null);
  const title = `Window ${number}`;

  useEffect(() => {
    if (focusOnOpen && chat.link) frame.current?.querySelector<HTMLElement>('[data-id="webchat-sendbox-input"]')?.focus();
  }, [focusOnOpen, chat.link]);

  return (
    <section ref={frame} className="window" aria-label={title} data-state={chat.state}>
      <div className="window-head">
        <h3>{title}</h3>
        {conversationId && (
          <span className="window-id" title={`Conversation ${conversationId}`}>
            {shortId(conversationId)}
          </span>
        )}
        {conversationId && <PauseButton conversation={{ channelId: OWN_CHANNEL, id: conversationId }} title={title} />}
        <button
          type="button"
          className="quiet"
          aria-label={`Inspect ${title}`}
          aria-pressed={inspected}
          title="Show its activities"
          onClick={() => onInspect(number)}
        >
          {'{ }'}
        </button>
        <a
          className="quiet"
          href={linkTo(window)}
          target="_blank"
          rel="noopener"
          aria-label={`Open ${title} in another browser window`}
          title="Show this conversation in another browser window"
        >
          ↗
        </a>
        <button
          type="button"
          className="quiet"
          aria-label={`Close ${title}`}
          title="Close this window"
          onClick={() => onClose(number)}
        >
          ×
        </button>
      </div>
      {/* Read out once for the whole page, by the header. */}
      {chat.state === 'reconnecting' && <p className="banner">Reconnecting…</p>}
      <div role="status">{chat.notice && <p className="banner">{chat.notice}</p>}</div>
      {chat.link && <WebChat key={conversationId} link={chat.link} userId={window.userId} title={title} />}
    </section>
  );
}
