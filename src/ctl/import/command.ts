/** The commands that make agreements of what is there: `import address`, `import partners`, `import certificates`. */

import { existsSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { isPlainName } from '../../policy/values/index.js';
import { counted } from '../../printable.js';
import type { CertificateCache } from '../../state/verdicts/index.js';
import { type Breathe, stoppable } from '../long-work/index.js';
import {
  isDbText,
  isSqlDump,
  readAddressFile,
  readCsv,
  readDbText,
  readSqlDump,
  type Table,
  tableText,
} from '../tables/index.js';
import { collect, makeFiles, type NewFile, type Print, Refusal, render } from '../terminal/index.js';
import { ADDRESS_COLUMNS, addressAgreements } from './address-rows.js';
import { type Candidate, policyText, type Writing } from './candidate.js';
import { certificateAgreements } from './certificate-folder.js';
import { partnerAgreements } from './partner-rows.js';
import type { Finding } from './report.js';
import { settle } from './settle.js';

export interface ImportContext {
  readonly certificates: CertificateCache;
  readonly print: Print;
  readonly exit: (code: number) => void;
}

interface Output {
  readonly out: string;
  readonly force: boolean;
  readonly dryRun: boolean;
}

/** What the interface is called in a check without one: nothing of it is written. */
const STAND_IN = '127.0.0.1:1';

/** Files are written at the end, all at once: until then a signal leaves everything as it was. */
function unhurried(work: (breathe: Breathe) => Promise<void>): Promise<void> {
  return stoppable('import', 'nothing was written', work);
}

/** Adds the commands to the group `import`. */
export function importCommands(group: Command, context: ImportContext): void {
  const { certificates } = context;
  group.description('makes agreements of what is there: addresses, partners, certificates');
  const writes = (command: Command): Command =>
    command
      .requiredOption('--out <path>', 'policy file to be made, or a directory: one file for each agreement')
      .option('--force', 'overwrite files that are there', false)
      .option('--dry-run', 'write nothing, and say what would be', false);

  writes(
    group
      .command('address')
      .description("agreements (nds-ip, monitored) out of the table address of Kamailio's module permissions")
      .argument('<file>', 'SQL dump (mysqldump, pg_dump, sqlite3 .dump), CSV with a header, db_text, or address_file')
      .requiredOption(
        '--interface <name>',
        'interface on which these addresses arrive: an address says nothing elsewhere',
      )
      .option('--listen <address:port>', 'its socket: writes the entry of interfaces, too')
      .option('--names <file>', 'CSV grp,tag,name,domains: which partner a group or tag is')
      .option('--table <name>', 'name of the table in the dump', 'address')
      .option('--any-port', 'take rows that name a source port, without the port', false),
  ).action((file: string, options: Output & AddressCommand) => {
    const names = options.names === undefined ? {} : { names: readCsv(options.names, tableText(options.names)) };
    const table = addressTable(file, options.table);
    const given = addressAgreements(table, {
      interface: interfaceName(options.interface),
      anyPort: options.anyPort,
      ...names,
    });
    const rows = table.rows.length + table.unread.length;
    return unhurried((breathe) => finish(context, options, { ...given, input: file, rows, ...options }, breathe));
  });

  writes(
    group
      .command('partners')
      .description('agreements (monitored) out of a CSV of partners; docs/moving-in.md lists its columns')
      .argument('<file>')
      .option('--interface <name>', 'interface of rows with sources that name none')
      .option('--listen <address:port>', 'its socket: writes the entry of interfaces, too'),
  ).action((file: string, options: Output & { readonly interface?: string; readonly listen?: string }) => {
    const table = readCsv(file, tableText(file));
    const { interface: name } = options;
    const given = partnerAgreements(table, {
      base: dirname(file),
      into: placeOf(options.out).directory,
      ...(name === undefined ? {} : { interface: interfaceName(name) }),
    });
    const rows = table.rows.length + table.unread.length;
    return unhurried((breathe) => finish(context, options, { ...given, input: file, rows, ...options }, breathe));
  });

  writes(
    group
      .command('certificates')
      .description("agreements (tls, monitored) out of a folder of partners' certificates, with their CAs")
      .argument('<folder>')
      .option('--authorities <file>', 'further CA certificates, as in /etc/ssl/certs/ca-certificates.crt', collect, []),
  ).action((folder: string, options: Output & { readonly authorities: readonly string[] }) =>
    unhurried(async (breathe) => {
      const { authorities: files, ...found } = await certificateAgreements(
        folder,
        options.authorities,
        certificates,
        Date.now(),
        breathe,
      );
      await finish(context, options, { ...found, files, input: folder, rows: undefined }, breathe);
    }),
  );
}

interface AddressCommand {
  readonly interface: string;
  readonly listen?: string;
  readonly names?: string;
  readonly table: string;
  readonly anyPort: boolean;
}

function interfaceName(text: string): string {
  if (isPlainName(text)) return text;
  throw new Refusal(`--interface: expected a plain name, as in za, found ${JSON.stringify(text)}`, 2);
}

function addressTable(file: string, name: string): Table {
  const text = tableText(file);
  const table = isDbText(text)
    ? readDbText(file, text)
    : isSqlDump(text)
      ? readSqlDump(file, text, name, ADDRESS_COLUMNS)
      : /^[^\n]*\bip_addr\b/i.test(text)
        ? readCsv(file, text)
        : readAddressFile(file, text);
  if (table.rows.length + table.unread.length === 0) {
    throw new Refusal(`${file}: expected rows of the table ${name}, found none (--table NAME names another)`, 2);
  }
  return table;
}

interface Import {
  readonly candidates: readonly Candidate[];
  readonly findings: readonly Finding[];
  /** CA certificates that go beside the policy file. */
  readonly files?: Readonly<Record<string, string>>;
  readonly input: string;
  readonly rows: number | undefined;
  readonly interface?: string;
  readonly listen?: string;
}

/** Checks, writes and reports. */
async function finish(
  { print, exit }: ImportContext,
  { out, force, dryRun }: Output,
  given: Import,
  breathe: Breathe,
): Promise<void> {
  const place = placeOf(out);
  const { interface: name, listen, files = {} } = given;
  const beside = Object.fromEntries(Object.entries(files).map(([file, text]) => [join(place.directory, file), text]));
  const entry = name === undefined ? undefined : { name, listen: listen ?? STAND_IN };
  const check = { path: place.check, files: beside };
  const settled = await settle(given.candidates, { interface: entry }, check, Date.now(), breathe);
  const { candidates } = settled;
  const writing: Writing = {
    heading: [`Made by siptrustctl import from ${given.input}. Agreements in monitor change no call.`],
    interface: listen === undefined ? undefined : entry,
  };
  const policies: NewFile[] = place.folder
    ? [
        ...(listen === undefined ? [] : [policyFile(join(place.directory, `interface-${name}.yaml`), [], writing)]),
        ...candidates.map((each) => {
          const alone = { ...writing, interface: undefined };
          return policyFile(join(place.directory, `${each.name}.yaml`), [each], alone);
        }),
      ]
    : [policyFile(out, candidates, writing)];
  const made = [...policies, ...Object.entries(beside).map(([path, text]) => ({ path, text, mode: 0o644 }))];
  await breathe(`${made.length} files to be written`);
  if (!dryRun && candidates.length > 0) makeFiles(made, { replace: force });

  const findings = [...given.findings, ...settled.findings];
  const kept = new Set(candidates);
  const refused = given.candidates.filter((each) => !kept.has(each)).flatMap(({ from }) => from);
  const unread = given.findings.flatMap(({ from, outcome }) => (outcome === 'left out' ? [from] : []));
  const left = new Set([...unread, ...refused]).size;
  const report = {
    ...(given.rows === undefined ? {} : { rows: given.rows }),
    agreements: candidates.length,
    left_out: left,
    files: dryRun || candidates.length === 0 ? 0 : made.length,
    findings,
  };
  print(report, () =>
    reportText(report, { out, dryRun, folder: place.folder, needs: listen === undefined ? name : undefined }),
  );
  if (left > 0) exit(1);
}

function policyFile(path: string, candidates: readonly Candidate[], writing: Writing): NewFile {
  return { path, text: policyText(candidates, writing), mode: 0o644 };
}

/** Where files go; the path under which all of it is checked at once is no file that is there. */
function placeOf(out: string): { readonly folder: boolean; readonly directory: string; readonly check: string } {
  const folder = out.endsWith('/') || (existsSync(out) && statSync(out).isDirectory());
  const directory = folder ? out.replace(/(?<=.)\/$/, '') : dirname(out);
  return { folder, directory, check: folder ? join(directory, '.import.yaml') : out };
}

interface Shown {
  readonly out: string;
  readonly dryRun: boolean;
  readonly folder: boolean;
  /** Interface that the policy has to define. */
  readonly needs: string | undefined;
}

/** Findings that people are shown: a table that nobody reads hides what was made. */
const MOST_SHOWN = 200;

function reportText(
  {
    rows,
    agreements,
    left_out,
    findings,
  }: { rows?: number; agreements: number; left_out: number; findings: readonly Finding[] },
  { out, dryRun, folder, needs }: Shown,
): string {
  const found = findings
    .slice(0, MOST_SHOWN)
    .map(({ from, subject, outcome, text }) => ({ from, subject, outcome, text }));
  const more = findings.length > found.length ? [`and ${findings.length - found.length} more (--json)`] : [];
  const lines = found.length === 0 ? [] : [render(found), ...more, ''];
  lines.push(
    `${counted(agreements, 'agreement')}${rows === undefined ? '' : ` of ${counted(rows, 'row')}`}, ${counted(left_out, rows === undefined ? 'file' : 'row')} left out`,
  );
  if (agreements === 0) return [...lines, 'nothing was written'].join('\n');
  lines.push(
    dryRun ? `nothing was written (--dry-run); ${out} would be` : `written to ${out}, all with enforcement: monitor`,
  );
  lines.push(
    `next: in siptrust.yaml  include: [${resolve(folder ? join(out, '*.yaml') : out)}]  then siptrustd --check`,
  );
  if (needs !== undefined) {
    lines.push(
      `      and  interfaces: [{name: ${needs}, listen: "ADDRESS:PORT", mechanism: nds-ip}]  (or import with --listen)`,
    );
  }
  return lines.join('\n');
}
