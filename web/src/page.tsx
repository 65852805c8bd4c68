// The page: windows on the left, what the server knows on the right.
import { useCallback, useMemo, useRef, useState } from 'react';

import { Announcer } from './announcer';
import { ChatWindow } from './chat-window';
import { ConversationNames } from './conversation-name';
import { Header } from './header';
import { Inspector } from './inspector';
import { JobsPanel } from './jobs-panel';
import { NotificationsPanel } from './notifications-panel';
import { Obstacles } from './obstacles';
import { OutboxBar } from './outbox-bar';
import { outboxOf, OutboxProvider } from './outbox-context';
import { useResources } from './resources';
import { useStories } from './stories';
import { useTranscripts } from './transcripts';
import type { WindowStorage } from './window-storage';
import { useWindows } from './windows';

export function Page({ storage }: { storage: WindowStorage }) {
  const windows = useWindows(storage);
  const resources = useResources();
  const stories = useStories(resources);
  const transcripts = useTranscripts();
  const [inspected, setInspected] = useState<number>();
  const [added, setAdded] = useState<number>();
  const addButton = useRef<HTMLButtonElement>(null);
  const pauseButton = useRef<HTMLButtonElement>(null);
  const inspector = useRef<HTMLElement>(null);

  const { list, add, close, setConversation } = windows;
  const names = useMemo(
    () => new Map(list.flatMap(window => (window.conversationId ? [[window.conversationId, `Window ${window.number}`] as const] : []))),
    [list]
  );
  const selected = list.find(window => window.number === inspected) ?? list[0];

  const { status, filter, conversations } = resources;
  const outbox = useMemo(
    () => outboxOf(resources, stories.open),
    // The rest of it never changes.
    [status, filter, conversations, stories.open]
  );

  const closeWindow = useCallback(
    (number: number) => {
      close(number);
      addButton.current?.focus();
    },
    [close]
  );

  const inspect = useCallback((number: number) => {
    setInspected(number);
    inspector.current?.focus();
    inspector.current?.scrollIntoView({ block: 'nearest' });
  }, []);

  return (
    <ConversationNames.Provider value={names}>
      <OutboxProvider value={outbox}>
        <a className="skip" href="#server">
          Skip to jobs and notifications
        </a>
        <Header feed={resources.feed} />
        <OutboxBar pauseButton={pauseButton} />
        <Obstacles held={resources.held} onResumed={() => pauseButton.current?.focus()} />
        <main className="page">
          <section className="conversations" aria-labelledby="conversations-title">
            <div className="section-head">
              <h2 id="conversations-title">Conversations</h2>
              <button ref={addButton} type="button" className="button" onClick={() => setAdded(add())}>
                <span aria-hidden="true">+</span> Add a window
              </button>
            </div>
            <div className="windows">
              {list.map(window => (
                <ChatWindow
                  key={window.number}
                  window={window}
                  inspected={window === selected}
                  focusOnOpen={window.number === added}
                  onClose={closeWindow}
                  onInspect={inspect}
                  onConversation={setConversation}
                  onActivities={transcripts.record}
                />
              ))}
              {list.length === 0 && <p className="empty">No window is open. The conversations are kept on the server.</p>}
            </div>
          </section>
          <div className="server" id="server" tabIndex={-1}>
            <JobsPanel jobs={resources.jobs} onEnd={resources.end} onOlder={resources.olderJobs} />
            <NotificationsPanel
              notifications={resources.notifications}
              onOlder={resources.olderNotifications}
              opened={stories.opened}
              onToggle={stories.toggle}
              onRead={resources.changeNotification}
            />
            <Inspector
              sectionRef={inspector}
              windows={list}
              selected={selected}
              activities={transcripts.of(selected?.conversationId)}
              onSelect={setInspected}
            />
          </div>
        </main>
        <Announcer notifications={resources.notifications} listen={resources.onNotification} />
      </OutboxProvider>
    </ConversationNames.Provider>
  );
}
