/** The sample proxy as it is without siptrust. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** cscf.cfg without the lines that siptrust adds to it. */
export function textWithout(): string {
  const text = readFileSync(join(ROOT, 'kamailio-cfg/cscf.cfg'), 'utf8');
  const bare = text.replace(/^[ \t]*# siptrust: (?!end)[\s\S]*?# siptrust: end$/gm, '');
  // Kamailio takes an empty route for an error.
  const plain = bare.replace(/^onreply_route \{\s*\}$/m, '');
  if (/^[^#\n]*(?:SIPTRUST_|siptrust\.cfg)/m.test(plain))
    throw new Error('cscf.cfg: siptrust stands outside of its marked lines');
  return plain;
}

/** Writes that, and gives its path from the repository. */
export function scriptWithout(directory: string): string {
  const file = join(directory, 'plain.cfg');
  writeFileSync(file, textWithout());
  return relative(ROOT, file);
}
