// Builds the page into dist/, or into the folder named on the command line. The same sources and the same lock file give the
// same bytes, wherever it runs.
import { build } from 'esbuild';
import { cp, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

import { thirdPartyNotices } from './build/notices.mjs';

// Paths in esbuild's output and in its metafile are relative to this folder.
const here = import.meta.dirname;
const dist = resolve(process.argv[2] ?? join(here, 'dist'));
process.chdir(here);

await rm(dist, { recursive: true, force: true });

const { metafile } = await build({
  absWorkingDir: here,
  entryPoints: [
    { in: 'src/main.tsx', out: 'page' },
    { in: 'src/styles/page.css', out: 'page' }
  ],
  outdir: dist,
  bundle: true,
  minify: true,
  format: 'esm',
  platform: 'browser',
  target: 'es2022',
  charset: 'utf8',
  jsx: 'automatic',
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning',
  define: { 'process.env.NODE_ENV': '"production"' },
  alias: {
    // These repackage another package for old browsers by a script at installation. This page needs neither.
    'abort-controller-es5': 'abort-controller',
    'markdown-it-attrs-es5': 'markdown-it-attrs',
    'p-defer-es5': 'p-defer',
    'use-propagate': './src/propagation.ts',
    // Speech needs a cloud service.
    'botframework-directlinespeech-sdk': './build/no-speech.mjs'
  }
});

await cp('src/index.html', join(dist, 'index.html'));
await cp('src/icon.svg', join(dist, 'icon.svg'));
await writeFile(join(dist, 'THIRD-PARTY-NOTICES.txt'), await thirdPartyNotices(metafile));
