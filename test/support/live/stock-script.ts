/** kamailio.cfg of Debian's package with the include, and with nothing else that README does not ask for. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Build } from './kamailio.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

export type Insertion = readonly [place: RegExp, what: string];

/** The line that each branch_route gets, as its last one before the return. */
export const CHOICE: Insertion = [
  /^branch_route\[MANAGE_BRANCH\] \{\n\txdbg\(.*\n\troute\(NATMANAGE\);\n/m,
  '\troute(SIPTRUST_OUT);\n',
];

/**
 * Writes it, and gives its path below the repository. The sockets, and where its files lie, are this test's; its control
 * modules are loaded by the test already.
 */
export function stockScript({ root }: Build, directory: string, more: readonly Insertion[] = []): string {
  const stock = readFileSync(join(root, 'etc/kamailio/kamailio.cfg'), 'utf8');
  let text = stock.replace(/^loadmodule "(?:ctl|kex)[.]so"\n/gm, '').replace('"/etc/kamailio/tls.cfg"', 'TLS_CONFIG');
  const sockets = ['INSIDE', 'OUTSIDE_UDP', 'OUTSIDE_TCP', 'OUTSIDE_TLS'].map((name) => `listen=${name}\n`).join('');
  const rows: readonly Insertion[] = [
    [/^#!KAMAILIO\n/, `#!define WITH_TLS\n${sockets}alias="own.example"\n`],
    [
      /^# -+ setting module-specific parameters -+\n/m,
      `include_file "${join(ROOT, 'plugin/kamailio/siptrust.cfg')}"\n`,
    ],
    ...more,
  ];
  for (const [place, what] of rows) {
    if (!place.test(text)) throw new Error(`Debian's kamailio.cfg has no ${place}`);
    text = text.replace(place, (found) => `${found}${what}`);
  }
  const file = join(directory, 'stock.cfg');
  writeFileSync(file, text);
  return relative(ROOT, file);
}
