// Web Chat's own Markdown, with the quotes as they were sent: it makes typographic ones of them, and a page that shows what
// goes over the wire should not.
import { renderMarkdown } from 'botframework-webchat';

export const asSent: typeof renderMarkdown = (markdown, ...options) => {
  const html = renderMarkdown(markdown, ...options);
  if (/[‘’“”]/u.test(markdown)) return html;
  return html.replace(/[‘’]/gu, '&#39;').replace(/[“”]/gu, '&quot;');
};
