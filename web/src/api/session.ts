// The end of this browser's session.
import { refusal } from './http';

/** Ends the session at the server and leaves the page for the form. Other browsers stay signed in. */
export async function signOut(): Promise<void> {
  const response = await fetch('/sign-out', { method: 'POST', cache: 'no-store', credentials: 'same-origin' });
  if (!response.ok) throw await refusal(response);
  location.assign('/sign-in');
}
