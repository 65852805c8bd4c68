// Direct Line tokens for the page's own windows.
import { Problem, request } from './api/http';

export type PageToken = { token: string; conversationId: string; userId: string };

/** A token for a new conversation of this user, whom the bot welcomes by the name. */
export function newConversation(userId: string, userName: string): Promise<PageToken> {
  return request('POST', '/page/tokens', { userId, userName });
}

/** A token for a conversation that exists, or `undefined` when the server does not know it (any more). */
export async function knownConversation(userId: string, conversationId: string): Promise<PageToken | undefined> {
  try {
    return await request<PageToken>('POST', '/page/tokens', { userId, conversationId });
  } catch (error) {
    if (error instanceof Problem && error.status === 404) return undefined;
    throw error;
  }
}
