// A picture that the person at the window sent is shown as a picture. Web Chat shows it as a file unless it has a thumbnail, and
// the thumbnail would be made in a worker out of a blob, which the page's policy does not allow.
import type { AttachmentMiddleware } from 'botframework-webchat-api';

export const ownPictures: AttachmentMiddleware = () => next => (...args) => {
  const [shown, ...rest] = args;
  const { contentType, contentUrl, thumbnailUrl } = shown?.attachment ?? {};
  if (!shown || !contentUrl || thumbnailUrl || !contentType?.startsWith('image/')) return next(...args);
  return next({ ...shown, attachment: { ...shown.attachment, thumbnailUrl: contentUrl } }, ...rest);
};
