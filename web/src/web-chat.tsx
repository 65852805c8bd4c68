// Microsoft's Web Chat over one connection, in the page's colours.
import type { DirectLine } from 'botframework-directlinejs';
import ReactWebChat, { createStore } from 'botframework-webchat';
import { memo, useMemo } from 'react';

import { chatStrings, chatStyle } from './chat-style';
import { asSent } from './markdown';

const nonce = document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? '';

export const WebChat = memo(function WebChat({ link, userId }: { link: DirectLine; userId: string }) {
  // A store holds one conversation; without one of their own, all windows of the page would share it.
  const store = useMemo(() => createStore(), [link]);
  return (
    <ReactWebChat
      directLine={link}
      store={store}
      userID={userId}
      nonce={nonce}
      renderMarkdown={asSent}
      locale="en-US"
      styleOptions={chatStyle}
      overrideLocalizedStrings={chatStrings}
    />
  );
});
