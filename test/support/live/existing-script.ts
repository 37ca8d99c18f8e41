/** README's "An existing kamailio.cfg turned trusting", carried out: its own snippets, on the unmodified file of Debian's package. */

import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Build } from './kamailio.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

export interface Steps {
  /** The commands of a shell. */
  readonly commands: readonly string[];
  /** What stands at the top of kamailio.cfg, behind the modules, in place of its branch_route, and before t_relay(). */
  readonly top: string;
  readonly include: string;
  readonly branch: string;
  readonly ack: string;
  /** The line of route[SIPOUT] that goes. */
  /** What takes a Route out for good. */
  readonly route: string;
  /** The line that the include stands before. */
  readonly before: string;
  readonly tls: string;
  /** The line for Kamailio 5.6. */
  readonly old: string;
  /** MiB of private memory. */
  readonly memory: number;
}

/** @throws with what README no longer says */
export function readmeSteps(): Steps {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
  const section = /^## An existing kamailio\.cfg turned trusting\n(.*?)^## /ms.exec(readme)?.[1] ?? '';
  const blocks = [...section.matchAll(/^( *)```\w*\n(.*?)^ *```$/gms)].map(([, indent = '', text = '']) =>
    text.replace(new RegExp(`^${indent}`, 'gm'), ''),
  );
  const found = <T>(what: string, value: T | undefined): T => {
    if (value === undefined) throw new Error(`README, "An existing kamailio.cfg turned trusting", has no ${what}`);
    return value;
  };
  const block = (what: RegExp): string =>
    found(
      String(what),
      blocks.find((text) => what.test(text)),
    );
  return {
    commands: block(/^cp plugin\/kamailio\/\* /m).split('\n'),
    top: block(/#!define SIPTRUST_INSIDE_NETS/),
    include: block(/^include_file /m),
    branch: block(/^branch_route\[/m),
    ack: found('line for ACK', /`(if \(is_method\("ACK"\)\) [^`]+)` before `t_relay/.exec(section)?.[1]),
    route: found(
      'line for Route',
      /`(if \(is_present_hf\("Route"\)\) [^`]+)` in place of `remove_hf/.exec(section)?.[1],
    ),
    before: found('line to put the include before', /before the line `([^`]+)`/.exec(section)?.[1]),
    tls: block(/^\[server:default\]/m),
    old: found('line for Kamailio 5.6', /`(tcp_children=1)`/.exec(section)?.[1]),
    memory: Number(found('PKG_MEMORY', /PKG_MEMORY=(\d+)/.exec(section)?.[1])),
  };
}

function replaced(text: string, what: string | RegExp, by: (found: string) => string): string {
  if (text.split(what).length < 2) throw new Error(`Debian's kamailio.cfg has no ${what}`);
  return text.replace(what, by);
}

/**
 * Carries the steps out below `directory` instead of /etc/kamailio. `listen` and `nets` are what an operator has of
 * their own; the control modules of the package's file are loaded by the tests already.
 */
export function turnedTrusting(
  { root, version }: Build,
  directory: string,
  { listen, nets }: { readonly listen: string; readonly nets: string },
): { readonly script: string; readonly tls: string } {
  const steps = readmeSteps();
  // cp plugin/kamailio/* /etc/kamailio/siptrust/
  mkdirSync(join(directory, 'siptrust'), { recursive: true });
  cpSync(join(ROOT, 'plugin/kamailio'), join(directory, 'siptrust'), { recursive: true });
  const here = (text: string) => text.replaceAll('/etc/kamailio/', () => `${directory}/`);
  const top = replaced(steps.top, /SIPTRUST_INSIDE_NETS "[^"]*"/, () => `SIPTRUST_INSIDE_NETS "${nets}"`);
  let text = readFileSync(join(root, 'etc/kamailio/kamailio.cfg'), 'utf8');
  text = text.replace(/^loadmodule "(?:ctl|kex)[.]so"\n/gm, '');
  text = replaced(text, /^#!KAMAILIO\n/, (head) => head + top + listen);
  text = replaced(text, steps.before, (line) => `${here(steps.include)}\n${line}`);
  text = replaced(text, /^branch_route\[MANAGE_BRANCH\] \{.*?^\}\n/ms, () => steps.branch);
  text = replaced(text, /^\tif \(!t_relay\(\)\) \{$/m, (row) => `\t${steps.ack}\n${row}`);
  text = replaced(text, /^\tremove_hf\("Route"\);$/m, () => `\t${steps.route}`);
  if (version.startsWith('5.'))
    text = replaced(text, /^(?:# *)?tcp_children=.*\n|^enable_tls=yes\n/m, (row) => `${row}${steps.old}\n`);
  text = replaced(text, '"/etc/kamailio/tls.cfg"', () => 'TLS_CONFIG');
  writeFileSync(join(directory, 'kamailio.cfg'), text);
  writeFileSync(join(directory, 'readme-tls.cfg'), steps.tls);
  return {
    script: relative(ROOT, join(directory, 'kamailio.cfg')),
    tls: relative(ROOT, join(directory, 'readme-tls.cfg')),
  };
}
