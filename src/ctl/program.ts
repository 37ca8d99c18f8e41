import type { Readable, Writable } from 'node:stream';
import { Command } from 'commander';
import { DEFAULT_SETTINGS } from '../policy/settings/index.js';
import { badInput, identityRecord } from '../rpc/listeners/index.js';
import { KAMAILIO_FILES } from '../sip/kamailio/index.js';
import { opensipsInclude } from '../sip/opensips/index.js';
import { CertificateCache } from '../state/verdicts/index.js';
import { VERSION } from '../version.js';
import { verifyRecord } from '../x509/path/index.js';
import { certificateCommands } from './certificates/index.js';
import { commandGroups } from './command-groups.js';
import { askDaemon, DAEMON_COMMANDS, type DaemonAddress, daemonAnswers, paramsOf } from './daemon/index.js';
import { dnsCommands } from './dns/index.js';
import { storeCommands } from './fleet/index.js';
import {
  approvedPins,
  configAnswer,
  configAnswers,
  openPolicy,
  policyCommands,
  replayCommand,
} from './policy/index.js';
import {
  type Ask,
  answerLines,
  eachRecord,
  headerMarkdown,
  headerRows,
  headerTable,
  helpCommand,
  type Print,
  Refusal,
  render,
  renderExplanation,
  visibleJson,
  visibleLines,
} from './terminal/index.js';

/** For the lines of one run. */
const CERTIFICATES = { entries: 1000, octets: 67_108_864, idleMs: 3_600_000 };

interface WithConfig {
  readonly config?: string | undefined;
}

/** The text of a generated file of the plugin; without a name the first. */
function kamailioFile(name: string = [...KAMAILIO_FILES.keys()][0] ?? ''): string {
  const file = KAMAILIO_FILES.get(name);
  if (file === undefined) {
    throw new Refusal(
      `--kamailio: expected ${[...KAMAILIO_FILES.keys()].join(', ')}, found ${JSON.stringify(name)}`,
      2,
    );
  }
  return file();
}

interface HeaderOptions extends WithConfig {
  readonly agreement?: string;
  readonly kamailio?: string | true;
  readonly opensips: boolean;
  readonly markdown: boolean;
}

interface GlobalOptions extends DaemonAddress {
  readonly json: boolean;
}

/** What commands read, write and ask with. */
interface Tools {
  readonly input: Readable;
  readonly output: Writable;
  readonly options: () => GlobalOptions;
  readonly ask: Ask;
  readonly print: Print;
  readonly exit: (code: number) => void;
}

/**
 * The command line, reading records from `input` and writing answers to `output`.
 * @param exit takes the exit code of a command that has answered
 */
export function program(input: Readable, output: Writable, exit: (code: number) => void = () => {}): Command {
  const root = new Command('siptrustctl')
    .description('Asks siptrustd, or answers JSON Lines on standard input without it.')
    .version(VERSION)
    .option('--socket <path>', 'unix socket of the daemon', '/run/siptrust/siptrust.sock')
    .option('--tcp <host:port>', 'netstring listener of the daemon, instead of the socket')
    .option('--timeout <ms>', 'how long to wait for an answer', '5000')
    .option('--json', 'print answers as JSON', false)
    .showHelpAfterError('(the same with --help says what it takes)')
    .exitOverride();
  const options = () => root.opts<GlobalOptions>();
  const print: Print = (answer, shown = render) => {
    output.write(`${options().json ? visibleJson(answer, 2) : visibleLines(shown(answer))}\n`);
  };
  const ask: Ask = (method, params, { config }) =>
    config === undefined ? askDaemon(options(), method, params) : configAnswer(config, method, params);
  const tools: Tools = { input, output, options, ask, print, exit };
  const group = groups(root);

  daemonCommands(group, tools);

  const certificates = new CertificateCache(CERTIFICATES, { hits: 0, misses: 0 });
  certificateCommands(group(['cert']), {
    certificates,
    print,
    expiry: (within, config) => ask('cert.expiry', { within }, { config }),
    write: (text) => void output.write(text),
    exit,
  });

  dnsCommands(group(['dns']), {
    certificates,
    print,
    settings: (file) => (file === undefined ? DEFAULT_SETTINGS.dns : openPolicy(file).settings.dns),
    write: (text) => void output.write(text),
    exit,
  });

  const askNow = (method: string, params: unknown) => askDaemon(options(), method, params);
  policyCommands(group(['policy']), { policy: openPolicy, ask: askNow, print, exit });
  storeCommands(group(['store']), { settings: (file) => openPolicy(file).settings, print });
  replayCommand(root, {
    ...{ policy: openPolicy, approved: (file) => approvedPins(file)?.approved, print, exit, input },
    warn: (text) => void process.stderr.write(`siptrustctl: ${text}\n`),
  });

  headersCommand(root, tools);
  commandGroups(root, group, { certificates, print, ask, exit });

  recordCommands(root, certificates, tools);
  helpCommand(root);
  return root;
}

/** What the table of commands says, as verbs. */
function daemonCommands(group: ReturnType<typeof groups>, { ask, print, exit }: Tools): void {
  const askPages = async (method: string, params: object, page: number, { config }: WithConfig) => {
    const offline = config === undefined ? undefined : configAnswers(config, method);
    const rows: unknown[] = [];
    for (;;) {
      const next = { ...params, from: rows.length, limit: page };
      const answer = offline === undefined ? await ask(method, next, {}) : await offline(next);
      if (!Array.isArray(answer)) return answer;
      rows.push(...answer);
      if (answer.length < page) return rows;
    }
  };
  for (const command of DAEMON_COMMANDS) {
    const words = command.words.split(' ');
    const verb = group(words.slice(0, -1))
      .command(words.at(-1) ?? '')
      .description(command.doc);
    for (const arg of command.args ?? []) verb.argument(arg);
    if (command.offline) verb.option('--config <file>', 'policy file; answers without a daemon');
    for (const option of command.required ?? []) verb.requiredOption(option);
    for (const option of command.options ?? []) {
      if (option.endsWith(' <n>')) verb.option(option, 'a number', numberOf);
      else verb.option(option);
    }
    verb.action(async (...given: unknown[]) => {
      const { config, ...options } = verb.opts<WithConfig>();
      const params = { ...paramsOf(command, given), ...options };
      const { method, page, failed, shown } = command;
      const asked = page === undefined ? ask(method, params, { config }) : askPages(method, params, page, { config });
      const answer = await asked;
      print(answer, shown);
      if (failed?.(answer)) exit(1);
    });
  }
}

function headersCommand(root: Command, { output, ask, print }: Tools): void {
  root
    .command('headers')
    .description('the header table in force, for strangers or under an agreement')
    .option('--agreement <name>', 'as this agreement has it')
    .option(
      '--kamailio [file]',
      `print a file of plugin/kamailio that is made from the table: ${[...KAMAILIO_FILES.keys()].join(', ')}`,
    )
    .option('--opensips', 'print plugin/opensips/siptrust-headers.cfg, which is made from it too', false)
    .option('--markdown', 'print the whole table as it stands in docs/boundary.md', false)
    .option('--config <file>', 'policy file; answers without a daemon')
    .action(async ({ agreement, kamailio, opensips, markdown, config }: HeaderOptions) => {
      if (kamailio !== undefined) return void output.write(kamailioFile(kamailio === true ? undefined : kamailio));
      if (opensips) return void output.write(opensipsInclude());
      if (markdown) return void output.write(`${headerMarkdown()}\n`);
      const answer = await ask('header.list', agreement === undefined ? {} : { agreement }, { config });
      print(answer, () => headerTable(headerRows(answer), agreement));
    });
}

/** Those that answer what is on standard input. */
function recordCommands(root: Command, certificates: CertificateCache, { input, output, options, print }: Tools): void {
  root
    .command('identity')
    .description('JSON Lines {pem} -> {kind, names}: the SIP domain identities of RFC 5922 §7.1')
    .action(() =>
      answerLines(
        input,
        output,
        (record) => identityRecord(certificates, record),
        (error) => ({ kind: 'none', names: [], error }),
      ),
    );
  root
    .command('verify')
    .description('JSON Lines {leaf, intermediates, anchors, crls, at, purpose, names} -> {ok, reason, detail}')
    .action(() => answerLines(input, output, verifyRecord, (detail) => ({ ok: false, reason: 'bad-input', detail })));

  for (const [name, method] of [
    ['peer', 'trust.peer'],
    ['message', 'trust.message'],
  ] as const) {
    root
      .command(name)
      .description(`JSON Lines with the params of ${method} -> its results; without --config the daemon is asked`)
      .option('--config <file>', 'policy file; answers without a daemon')
      .action(async ({ config }: { config?: string }) => {
        const answer = config === undefined ? daemonAnswers(options(), method) : configAnswers(config, method);
        await answerLines(input, output, answer, (why) => badInput(method, why));
      });
  }

  root
    .command('explain')
    .description('each check behind an answer, by its id, or behind the trust.peer params on standard input')
    .argument('[id]')
    .option('--config <file>', 'policy file; answers without a daemon')
    .action(async (id: string | undefined, { config }: { config?: string }) => {
      if (id !== undefined && config !== undefined) {
        throw new Refusal(
          `explain ${id} --config ${config}: expected an id, which the running daemon knows, or --config with the params of trust.peer on standard input; found both`,
          2,
        );
      }
      if (id !== undefined) return print(await askDaemon(options(), 'trust.explain', { id }), renderExplanation);
      const answer =
        config === undefined ? daemonAnswers(options(), 'trust.explain') : configAnswers(config, 'trust.explain');
      await eachRecord(
        input,
        async (record) => print(await answer(record), renderExplanation),
        (why) => {
          throw new Refusal(why, 2);
        },
      );
    });
}

/** What is no number is sent as it is: the daemon says what it expected. */
function numberOf(text: string): number | string {
  return /^[0-9]{1,9}$/.test(text) ? Number(text) : text;
}

/** What the verbs of a group are for, of groups that are made of methods alone. */
const GROUPS: Readonly<Record<string, string>> = {
  agreement: 'agreements: what they say, reading the policy again, taking a partner out of a fleet',
  partner: 'partners: who is trusted and who is not, and why',
  decision: 'answers of late',
  crl: 'CRLs and OCSP statuses: what is at hand, fetching it again',
  pin: 'keys of partners: seen, approved, forgotten',
  policy: 'policies: check, compare, try, put in force, push to a fleet, go back',
  audit: 'what operators changed',
  fleet: 'nodes of a fleet, and the keys that sign its policy',
  hop: 'next hops: where a request goes',
  cache: 'what is kept in memory',
  token: 'bearer tokens for HTTP',
  log: 'the level of the operator log',
  cert: 'certificates: look at, judge, get and renew them; what ends when',
  dns: 'DNS records of partners and of our own',
  store: 'the database of a fleet',
};

/** Finds or makes the command that holds a group of verbs (`agreement`, `cert`, ...). */
function groups(root: Command): (words: readonly string[]) => Command {
  const known = new Map<string, Command>();
  return ([name]) => {
    if (name === undefined) return root;
    const found = known.get(name) ?? root.command(name).description(GROUPS[name] ?? '');
    known.set(name, found);
    return found;
  };
}
