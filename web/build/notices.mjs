// The licences of everything that is in the built page, in one text.
//
// What is in it is read from esbuild's metafile, and for packages that come already bundled from the metafile that they ship.
// A package whose licence is not known to be permissive, or that states none, fails the build: a person has to look.
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';

import { permissiveBranch, standardText } from './licence-texts.mjs';

const RULE = `${'-'.repeat(80)}\n`;

export async function thirdPartyNotices(metafile) {
  const folders = new Set();
  for (const { inputs } of Object.values(metafile.outputs)) {
    for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
      const folder = packageFolder(path);
      if (!folder || bytesInOutput === 0) continue;
      folders.add(folder);
      for (const inner of await bundledInside(folder, basename(path))) folders.add(inner);
    }
  }
  const notices = await Promise.all([...folders].map(notice));
  notices.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  const head = 'The page of Proact contains the following packages, under the licences that follow.\n';
  const texts = new Set(notices.map(({ text }) => text));
  return `${head}\n${[...texts].map(text => RULE + text).join('\n')}`;
}

/** `node_modules/a/node_modules/@b/c` of `node_modules/a/node_modules/@b/c/lib/x.js`. */
function packageFolder(path) {
  if (path.startsWith('(disabled)')) return undefined;
  return /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/u.exec(path)?.[0];
}

/** Bundlers leave a few bytes of what they disable; nothing real is that small. */
const STUB_BYTES = 50;

async function bundledInside(folder, file) {
  const own = await readFile(join(folder, 'dist/metafile-esm.json'), 'utf8').catch(() => undefined);
  if (!own) return [];
  const found = new Set();
  for (const [output, { inputs }] of Object.entries(JSON.parse(own).outputs)) {
    if (basename(output) !== file) continue;
    for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
      const there = packageFolder(path);
      if (there && bytesInOutput > STUB_BYTES) found.add(await installed(folder, there));
    }
  }
  return found;
}

/** Where the package that was bundled into another is installed here. */
async function installed(folder, there) {
  const name = there.slice(there.lastIndexOf('node_modules/') + 'node_modules/'.length);
  for (const candidate of [join(folder, 'node_modules', name), join(dirnameOfPackages(folder), name)]) {
    if (await readFile(join(candidate, 'package.json')).catch(() => undefined)) return candidate;
  }
  throw new Error(`${name}, which ${folder} contains, is not installed: its licence cannot be read`);
}

function dirnameOfPackages(folder) {
  return folder.slice(0, folder.lastIndexOf('node_modules/') + 'node_modules'.length);
}

async function notice(folder) {
  const { name, version, license, author, homepage, repository } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  const licence = typeof license === 'string' ? license : license?.type;
  const branch = permissiveBranch(licence);
  if (!branch) throw new Error(`${name} ${version} has the licence "${licence}", which is not known to be permissive`);
  const files = (await readdir(folder)).filter(file => /^(?:licen[cs]e|copying|notice)/iu.test(file)).sort();
  const texts = await Promise.all(files.map(async file => tidy(await readFile(join(folder, file), 'utf8'))));
  if (texts.length === 0) texts.push(standardText(branch, typeof author === 'string' ? author : author?.name));
  if (!texts[0]) throw new Error(`${name} ${version} comes without the text of its licence (${licence})`);
  const source = homepage ?? (typeof repository === 'string' ? repository : repository?.url) ?? '';
  const head = [`${name} ${version}`, `Licence: ${licence}`, source].filter(Boolean).join('\n');
  return { name: `${name} ${version}`, text: `${head}\n\n${texts.join('\n')}` };
}

function tidy(text) {
  return `${text.replace(/^\uFEFF/u, '').replace(/\r\n?/gu, '\n').replace(/[ \t]+$/gmu, '').trim()}\n`;
}
