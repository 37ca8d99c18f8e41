/** The sample proxy as it is without siptrust. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** What siptrust adds to cscf.cfg, and what stands there without it. */
const LINES: readonly (readonly [with_: string, without: string])[] = [
  ['include_file "../plugin/kamailio/siptrust.cfg"\n', 'loadmodule "ipops.so"\n'],
  ['#!ifdef CSCF_LUA\n#!define SIPTRUST_LUA\n#!endif\n', ''],
  ['\tif (is_method("ACK")) {\n\t\t# It has no branch.\n\t\troute(SIPTRUST_OUT);\n\t}\n', ''],
  ['\troute(SIPTRUST_OUT);\n', '\treturn;\n'],
  ['\troute(SIPTRUST_FAILED);\n\tif ($avp(siptrust_next) == 1) {\n\t\troute(RELAY);\n\t}\n', '\texit;\n'],
  [
    '\t\tif ($avp(siptrust_out_refused) > 0) {\n\t\t\tsend_reply("$avp(siptrust_out_refused)", "No Trusted Next Hop");\n\t\t\texit;\n\t\t}\n',
    '',
  ],
];

/** cscf.cfg without the lines that siptrust adds to it; it still has to know its own side. */
export function textWithout(): string {
  const sample = readFileSync(join(ROOT, 'kamailio-cfg/cscf.cfg'), 'utf8');
  let text = sample.replaceAll('"$shv(siptrust_nets)"', 'SIPTRUST_INSIDE_NETS');
  for (const [added, instead] of LINES) {
    if (text.split(added).length !== 2) throw new Error(`expected once in cscf.cfg: ${added}`);
    text = text.replace(added, () => instead);
  }
  if (/^[^#\n]*(?:\broute\(SIPTRUST_|siptrust\.cfg"|\(siptrust_)/m.test(text))
    throw new Error('cscf.cfg: more of siptrust than is taken out');
  return text;
}

/** Writes that, and gives its path from the repository. */
export function scriptWithout(directory: string): string {
  const file = join(directory, 'plain.cfg');
  writeFileSync(file, textWithout());
  return relative(ROOT, file);
}
