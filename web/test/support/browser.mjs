// A real Chromium with an empty profile, and a page that remembers everything it should not have done.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const ARGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync'
];

export const PATIENCE_MS = 60_000;
export const DESKTOP = { width: 1280, height: 800 };
export const PHONE = { width: 390, height: 844 };

export async function openBrowser(viewport, options = {}) {
  const profile = await mkdtemp(join(tmpdir(), 'proact-chromium-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.PROACT_CHROMIUM ?? '/usr/bin/chromium',
    args: ARGS,
    viewport,
    ...options
  });
  context.setDefaultTimeout(PATIENCE_MS);
  return {
    context,
    async close() {
      await context.close();
      await rm(profile, { recursive: true, force: true, maxRetries: 5 });
    }
  };
}

/**
 * A page whose faults are collected. While `away` is set, failing to reach the server is expected and is not a fault; nor is
 * a refusal of what is asked at an address that `refused` matches.
 */
export async function watchedPage(context) {
  const page = await context.newPage();
  const watch = { page, away: false, refused: undefined, faults: [] };
  const fault = text => watch.faults.push(text.slice(0, 300));

  page.on('pageerror', error => fault(`uncaught: ${error}`));
  page.on('console', message => {
    if (message.type() !== 'error') return;
    if (watch.away && /ERR_(CONNECTION|INCOMPLETE|EMPTY_RESPONSE|NETWORK)|WebSocket connection to/u.test(message.text())) return;
    if (watch.refused?.test(message.location().url)) return;
    fault(`console: ${message.text()} ${message.location().url}`);
  });
  page.on('request', request => strange(request.url()) && fault(`request: ${request.url()}`));
  page.on('websocket', socket => strange(socket.url()) && fault(`socket: ${socket.url()}`));
  await page.exposeFunction('reportViolation', text => fault(`csp: ${text}`));
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', event =>
      window.reportViolation(`${event.effectiveDirective} blocked ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`)
    );
  });
  return watch;
}

function strange(address) {
  const { protocol, hostname } = new URL(address);
  return !['data:', 'blob:'].includes(protocol) && hostname !== '127.0.0.1';
}
