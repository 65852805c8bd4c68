// How Direct Line's requests are sent.
//
// Requests that only read or (re)start are repeated until the server answers. Posting an activity is not: whether it arrived
// is not known, so Web Chat says that sending failed and offers to try again, unless the activity comes back over the stream.
import { Observable } from 'rxjs/Observable';
import { ajax } from 'rxjs/observable/dom/ajax';
import type { AjaxRequest, AjaxResponse } from 'rxjs/observable/dom/AjaxObservable';
import type { Subscription } from 'rxjs/Subscription';

import { knownConversation, type PageToken } from './page-token';

const PAUSE_MS = 1000;

type Failure = { status?: number };

export function patientAjax(page: PageToken, onGone: () => void) {
  let token = page.token;

  function send(asked: AjaxRequest): Observable<AjaxResponse> {
    return new Observable<AjaxResponse>(subscriber => {
      let current: Subscription | undefined;
      let timer: number | undefined;
      let renewed = false;

      function attempt(): void {
        // A file that is to be uploaded is read with a request too, and that one carries no token.
        const headers = withToken(asked.headers ?? {}, token);
        current = ajax({ ...asked, headers }).subscribe({
          next(answer) {
            token = tokenIn(answer) ?? token;
            subscriber.next(answer);
          },
          error(failure: Failure) {
            if (!failure.status && isRepeatable(asked)) {
              timer = window.setTimeout(attempt, PAUSE_MS);
            } else if ((failure.status === 401 || failure.status === 403) && !renewed) {
              renewed = true;
              void renew(failure);
            } else if (failure.status === 404 && isAboutConversation(asked)) {
              // This connection is over, and the window makes another; there is nobody left to tell of the error.
              onGone();
            } else {
              subscriber.error(failure);
            }
          },
          complete: () => subscriber.complete()
        });
      }

      async function renew(failure: Failure): Promise<void> {
        try {
          const fresh = await knownConversation(page.userId, page.conversationId);
          if (subscriber.closed) return;
          if (!fresh) return onGone();
          token = fresh.token;
          attempt();
        } catch {
          subscriber.error(failure);
        }
      }

      attempt();
      return () => {
        current?.unsubscribe();
        clearTimeout(timer);
      };
    });
  }

  // directlinejs calls it as a function; the rest of rxjs's shape is never used.
  return send as unknown as typeof ajax;
}

function withToken(headers: object, token: string): object {
  return 'Authorization' in headers ? { ...headers, Authorization: `Bearer ${token}` } : headers;
}

function isRepeatable({ method, url }: AjaxRequest): boolean {
  return method === 'GET' || /\/(conversations|tokens\/refresh)$/u.test(url ?? '');
}

function isAboutConversation({ url }: AjaxRequest): boolean {
  return /\/conversations\//u.test(url ?? '');
}

function tokenIn({ response }: AjaxResponse): string | undefined {
  const token: unknown = (response as { token?: unknown } | null)?.token;
  return typeof token === 'string' ? token : undefined;
}
