// Puts the page into the document.
import { createRoot } from 'react-dom/client';

import { Page } from './page';
import { openWindowStorage } from './window-storage';

const root = document.getElementById('page');
if (root) {
  const storage = await openWindowStorage();
  createRoot(root).render(<Page storage={storage} />);
}
