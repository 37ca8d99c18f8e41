/** `doctor`: looks at all that siptrust rests on, and says what is wrong in order of harm. */

import type { Command } from 'commander';
import { counted } from '../../printable.js';
import { keysOf } from '../../typed.js';
import type { Ask, Print } from '../terminal/index.js';
import { checksOf } from './checks.js';
import { type Finding, HARMS } from './finding.js';
import { type GivenOptions, readSite } from './site.js';

export interface DoctorContext {
  readonly print: Print;
  readonly ask: Ask;
  readonly exit: (code: number) => void;
}

interface Row extends Finding {
  readonly check: string;
}

const ORDER = keysOf(HARMS);

/** Adds the command. */
export function doctorCommand(root: Command, { print, ask, exit }: DoctorContext): void {
  root
    .command('doctor')
    .description(
      'looks at policy, daemon, plugin, kamailio.cfg, tls.cfg, lists, clock and versions; exit code 1: a look is due, 2: something leaks or fails',
    )
    .option('--config <file>', 'policy file', '/etc/siptrust/siptrust.yaml')
    .option('--kamailio-cfg <file>', 'script of the proxy', '/etc/kamailio/kamailio.cfg')
    .option('--tls-cfg <file>', 'TLS profiles of the proxy (default: the file that the script names)')
    .option('--opensips', 'an OpenSIPS asks: its plugin, its script, and which agreements it cannot serve, and why')
    .option('--opensips-cfg <file>', 'script of the OpenSIPS', '/etc/opensips/opensips.cfg')
    .option('--opensips-plugin <directory>', 'where the files of plugin/opensips are', '/etc/opensips/siptrust')
    .option('--plugin <directory>', 'where the files of plugin/kamailio are (default: where the script includes them)')
    .action(async (options: GivenOptions) => {
      const site = await readSite(options, (method) => ask(method, {}, {}));
      const checks = checksOf(site);
      const rows: Row[] = checks.flatMap(({ name, look }) => look(site).map((found) => ({ check: name, ...found })));
      rows.sort((a, b) => ORDER.indexOf(a.harm) - ORDER.indexOf(b.harm));
      const report = { checks: checks.length, findings: rows };
      print(report, () => reportText(checks.length, rows));
      const worst = rows[0]?.harm;
      if (worst === 'leak' || worst === 'outage') exit(2);
      else if (worst === 'risk') exit(1);
    });
}

function reportText(checks: number, rows: readonly Row[]): string {
  if (rows.length === 0) return `${checks} checks, nothing is wrong`;
  const groups = ORDER.flatMap((harm) => {
    const found = rows.filter((row) => row.harm === harm);
    if (found.length === 0) return [];
    return [
      `${harm}: ${HARMS[harm]}`,
      ...found.flatMap(({ check, found: text, next }) => [`  ${check}: ${plain(text)}`, `    next: ${plain(next)}`]),
    ];
  });
  return [...groups, '', `${checks} checks, ${counted(rows.length, 'finding')}`].join('\n');
}

/** Nothing in a file that was read can end a line or drive a terminal. */
function plain(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, '?');
}
