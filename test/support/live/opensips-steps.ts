/** docs/opensips.md, "An existing opensips.cfg turned trusting", carried out: its own snippets, on scripts that come with OpenSIPS. */

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { OpensipsBuild } from './opensips.js';

const DOCUMENT = fileURLToPath(new URL('../../../docs/opensips.md', import.meta.url));

/** The snippet of each numbered step, by its number. @throws where the document has no such section */
export function opensipsSteps(): ReadonlyMap<number, string> {
  const text = readFileSync(DOCUMENT, 'utf8');
  const section = /^## An existing opensips\.cfg turned trusting\n(.*?)^## /ms.exec(text)?.[1];
  if (section === undefined) throw new Error('docs/opensips.md has no "An existing opensips.cfg turned trusting"');
  const steps = section.matchAll(/^(\d+)\. .*?\n( +)```\w*\n(.*?)^ +```$/gms);
  return new Map(
    [...steps].map(([, number, indent = '', body = '']) => [
      Number(number),
      body.replace(new RegExp(`^${indent}`, 'gm'), ''),
    ]),
  );
}

function step(number: number): string {
  const text = opensipsSteps().get(number);
  if (text === undefined)
    throw new Error(`docs/opensips.md, "An existing opensips.cfg turned trusting", has no step ${number}`);
  return text;
}

function replaced(text: string, what: RegExp, by: (found: string) => string): string {
  if (!what.test(text)) throw new Error(`the script has no ${what}`);
  what.lastIndex = 0;
  return text.replace(what, by);
}

const indented = (text: string): string => text.replace(/^(?=.)/gm, '\t');

/** The script with steps 2, 3 and 5 to 11 carried out. */
export function stepsTaken(script: string, { version }: OpensipsBuild): string {
  const own = /^3\.4/.test(version) ? 'loadmodule' : 'tcp_threads';
  const modules = /^3\.[^4]/.test(version) ? step(3) : step(3).replace(`#${own}`, own);
  let text = replaced(script, /^socket=udp:127\.0\.0\.1:5060.*\n/m, () => step(2));
  text = replaced(text, /^(?=(?:.*\n)*?route ?\{)(?:.*\n)*loadmodule .*\n/m, (found) => found + modules);
  text = replaced(text, /^route ?\{\n/m, (found) => found + indented(step(5)));
  text = text.replace(/^branch_route\[.*?^(?=\})/gms, (found) => found + indented(step(6)));
  text = text.replace(/^onreply_route\[.*\n/gm, (found) => found + indented(step(7)));
  text = text.replace(/^failure_route\[.*\n/gm, (found) => found + indented(step(8)));
  text = text.replace(/^local_route .*?^(?=\})/gms, (found) => found + indented(step(9)));
  text = replaced(text, /^[ \t]*if \(!t_relay\(\)\) \{[^}]*\}\n/gm, () => indented(step(11)));
  return `${text}\n${step(10)}`;
}

/** siptrust.cfg as step 9 wants it where the script has a local_route. */
export function withoutLocalRoute(plugin: string): string {
  return replaced(plugin, /^local_route \{\n.*?^\}\n?/ms, () => '');
}

export type StockName = 'residential' | 'loadbalancer' | 'trunking';

/** A script that comes with OpenSIPS; or why it is not there. @param off with every option of menuconfig on but these */
export function stockScript(
  { program }: OpensipsBuild,
  name: StockName,
  off?: RegExp,
): string | { readonly missing: string } {
  const source = dirname(program);
  if (name === 'residential' && off === undefined) {
    const places = [join(source, 'etc/opensips.cfg'), join(source, '../etc/opensips/opensips.cfg')];
    const file = places.find((place) => existsSync(place));
    return file === undefined ? { missing: `no opensips.cfg at ${places.join(' or ')}` } : readFileSync(file, 'utf8');
  }
  const folder = join(source, 'menuconfig/configs');
  const files = ['_def.m4', '.m4'].map((end) => join(folder, `opensips_${name}${end}`));
  if (!files.every((file) => existsSync(file))) return { missing: `no ${files.join(', ')}` };
  const [options = '', script = ''] = files;
  const input = readFileSync(options, 'utf8').replace(/(?<=^define\(`)(\w+)', `no'/gm, (all, option: string) =>
    off === undefined || off.test(option) ? all : `${option}', \`yes'`,
  );
  return execFileSync('m4', ['-', script], { encoding: 'utf8', input });
}
