// Microsoft's Web Chat over one connection, in the page's colours.
import type { DirectLine } from 'botframework-directlinejs';
import ReactWebChat, { createStore } from 'botframework-webchat';
import { memo, useEffect, useMemo, useRef } from 'react';

import { chatStrings, chatStyle } from './chat-style';
import { removeDeleted } from './deleted';
import { asSent } from './markdown';
import { ownPictures } from './own-pictures';
import { Signals } from './propagation';

const nonce = document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? '';

export const WebChat = memo(function WebChat({ link, userId, title }: { link: DirectLine; userId: string; title: string }) {
  // A store holds one conversation; without one of their own, all windows of the page would share it.
  const store = useMemo(() => createStore({}, removeDeleted), [link]);
  const place = useRef<HTMLDivElement>(null);

  // Web Chat makes landmarks of itself and its send box, and has no way to name them.
  useEffect(() => {
    place.current?.querySelector('[role="complementary"]')?.setAttribute('aria-label', `Chat in ${title}`);
    place.current?.querySelector('[role="form"]')?.setAttribute('aria-label', `Message to ${title}`);
  }, [title]);

  return (
    <div ref={place} className="window-chat">
      {/* The store is this window's own, and so are its signals. */}
      <Signals.Provider value={store}>
        <ReactWebChat
          directLine={link}
          store={store}
          userID={userId}
          nonce={nonce}
          renderMarkdown={asSent}
          attachmentMiddleware={ownPictures}
          locale="en-US"
          styleOptions={chatStyle}
          overrideLocalizedStrings={chatStrings}
        />
      </Signals.Provider>
    </div>
  );
});
