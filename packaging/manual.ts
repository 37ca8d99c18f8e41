/** Man pages out of what the programs say of themselves by --help. */

import type { Command } from 'commander';

export interface Page {
  readonly name: string;
  readonly section: 1 | 8;
  readonly version: string;
  /** Day of the package. */
  readonly date: string;
}

/** siptrustd(8): the text of `siptrustd --help`, its options as a list. */
export function daemonPage(help: string, page: Page): string {
  const [title = '', ...rest] = help.split('\n');
  const what = title.replace(/^siptrustd [^:]*: /, '').replace(/\.$/, '');
  const usage = rest.find((line) => line.startsWith('Usage: '))?.slice('Usage: '.length) ?? '';
  const options = rest.flatMap((line) => {
    const [, names, words] = /^ {2}(-\S+(?: \S+)*?) {2,}(.*)$/.exec(line) ?? [];
    return names === undefined || words === undefined ? [] : [item(names, words)];
  });
  if (options.length === 0) throw new Error('expected options in the help of siptrustd, found none');
  const prose = rest.filter((line) => line !== '' && !line.startsWith('Usage: ') && !line.startsWith('  '));
  return [
    head(page, what),
    '.SH SYNOPSIS',
    synopsis(usage),
    '.SH DESCRIPTION',
    roff('The routing script of a SIP proxy (Kamailio, OpenSIPS) asks siptrustd about each connection, over JSON-RPC.'),
    ...prose.map((line) => `.PP\n${roff(line)}`),
    '.SH OPTIONS',
    ...options,
    '.SH EXIT STATUS',
    item('0', 'stopped, or the policy is good'),
    item('1', 'the policy or a listener is not'),
    item('2', 'the command line is wrong'),
    '.SH FILES',
    item('/etc/siptrust/siptrust.yaml', 'the policy'),
    item('/run/siptrust/siptrust.sock', 'where siptrustctl(1) asks'),
    item('/var/lib/siptrust', 'pins, fetched CRLs, certificates for a replay'),
    item('/var/log/siptrust', 'the decision log'),
    item('/usr/share/siptrust', 'what the proxy loads'),
    '.SH SEE ALSO',
    '.BR siptrustctl (1),',
    '.BR kamailio (8);',
    roff('/usr/share/doc/siptrust'),
    '',
  ].join('\n');
}

/** siptrustctl(1): each command with its arguments and options. */
export function ctlPage(program: Command, page: Page): string {
  return [
    head(page, 'ask siptrustd, or answer without it'),
    '.SH SYNOPSIS',
    synopsis('siptrustctl [options] command [arguments]'),
    '.SH DESCRIPTION',
    roff(program.description()),
    '.SH OPTIONS',
    ...options(program),
    '.SH COMMANDS',
    ...leaves(program).flatMap(({ words, command }) => [
      `.SS "${roff(`${words} ${command.usage()}`.trim())}"`,
      roff(command.description()),
      ...options(command),
    ]),
    '.SH EXIT STATUS',
    item('0', 'answered'),
    item('1', 'the answer is an error, or (cert lint, dns check, replay, policy diff) says that there is something'),
    item('2', 'the command line, a file or the connection is wrong'),
    item('130, 143', 'stopped by SIGINT, by SIGTERM'),
    item('141', 'whoever read the answers has closed the pipe'),
    '.SH FILES',
    item('/run/siptrust/siptrust.sock', 'where the daemon is asked'),
    '.SH SEE ALSO',
    '.BR siptrustd (8);',
    roff('/usr/share/doc/siptrust/docs/rpc.md'),
    '',
  ].join('\n');
}

export interface Leaf {
  readonly words: string;
  readonly command: Command;
}

/** The commands that do something, in the order of the help. */
export function leaves(command: Command, before = ''): readonly Leaf[] {
  return command.commands.flatMap((each) => {
    const words = `${before}${each.name()}`;
    return each.commands.length > 0 ? leaves(each, `${words} `) : [{ words, command: each }];
  });
}

function options(command: Command): readonly string[] {
  return command.options.map(({ flags, description, defaultValue }) => {
    const plain = defaultValue === undefined || defaultValue === false;
    return item(flags, plain ? description : `${description} (default: ${String(defaultValue)})`);
  });
}

function head({ name, section, version, date }: Page, what: string): string {
  return [
    `.TH ${name.toUpperCase()} ${section} "${date}" "siptrust ${roff(version)}" "siptrust"`,
    '.SH NAME',
    `${name} \\- ${roff(what)}`,
  ].join('\n');
}

function synopsis(usage: string): string {
  const [name = '', ...rest] = usage.split(' ');
  return `.B ${roff(name)}\n${roff(rest.join(' '))}`;
}

function item(term: string, words: string): string {
  return `.TP\n.B ${roff(term)}\n${roff(words)}`;
}

/** Text that roff prints as it is. */
function roff(text: string): string {
  const escaped = text.replace(/\\/g, '\\e').replace(/-/g, '\\-').replace(/"/g, '\\(dq');
  return /^[.']/.test(escaped) ? `\\&${escaped}` : escaped;
}
