// The licences that may be in the built page, and what is said for a package that names one but ships no text of it.

const MIT = holder => `Copyright (c) ${holder}

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation
files (the "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy,
modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the
Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE,
ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
`;

const PUBLIC_DOMAIN = () => 'Dedicated to the public domain by its authors.\n';

/** Those without a text here must come with one. */
const PERMISSIVE = new Map([
  ['MIT', MIT],
  ['CC0-1.0', PUBLIC_DOMAIN],
  ['public domain', PUBLIC_DOMAIN],
  ['0BSD', undefined],
  ['Apache-2.0', undefined],
  ['BSD-2-Clause', undefined],
  ['BSD-3-Clause', undefined],
  ['ISC', undefined]
]);

/** Of a choice of licences, one permissive branch is enough. */
export function permissiveBranch(licence) {
  const branches = (licence ?? '').replace(/[()]/gu, '').split(' OR ');
  return branches.find(branch => PERMISSIVE.has(branch));
}

export function standardText(branch, holder) {
  return PERMISSIVE.get(branch)?.(holder ?? 'its authors');
}
