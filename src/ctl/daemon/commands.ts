/** The commands that ask a running daemon. A new command is one row here and one row in docs/rpc.md. */

import { parseAddress } from '../../net/address/index.js';
import { isRecord } from '../../typed.js';
import {
  renderAudit,
  renderCandidate,
  renderDecisions,
  renderHistory,
  renderHops,
  renderLists,
  renderNodes,
  renderPartners,
  renderPins,
  renderStatus,
} from '../terminal/index.js';

export interface DaemonCommand {
  /** The words of the command line: `agreement show`. */
  readonly words: string;
  readonly method: string;
  /** Arguments, `<name>` or `[name]`, sent as params of the same name. */
  readonly args?: readonly string[];
  /** Options that must be given, sent as params of the same name: `--role <script|viewer>`. */
  readonly required?: readonly string[];
  /** Options that may be given; `<n>` stands for a number. */
  readonly options?: readonly string[];
  /** Params that are sent with every question. */
  readonly always?: Readonly<Record<string, unknown>>;
  /** Makes params of the arguments; absent: each stands under its name. */
  readonly from?: (given: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>;
  /** Whether the answer says that it failed: exit code 1. */
  readonly failed?: (answer: unknown) => boolean;
  /** It is answered in pages of at most so many rows, which are put together. */
  readonly page?: number;
  /** How people see the answer; absent: as any other. */
  readonly shown?: (answer: unknown) => string;
  /** It can be answered from a policy file, too (`--config`). */
  readonly offline?: true;
  readonly doc: string;
}

export const DAEMON_COMMANDS: readonly DaemonCommand[] = [
  {
    ...{ words: 'status', method: 'core.status', failed: (answer) => !isRecord(answer) || isTroubled(answer) },
    shown: renderStatus,
    doc: 'the policy in force and the state of the daemon; exit code 1: the policy file or revision that was read last is no good, or the store is away',
  },
  { words: 'version', method: 'core.version', doc: 'name and version of the daemon' },
  { words: 'uptime', method: 'core.uptime', shown: renderStatus, doc: 'since when the daemon runs' },
  { words: 'stats', method: 'stats.fetch', doc: 'counters since the start' },
  {
    ...{ words: 'agreement list', method: 'agreement.list', page: 1000, offline: true },
    doc: 'all agreements, one row each',
  },
  {
    ...{ words: 'agreement show', method: 'agreement.show', args: ['<name>'], offline: true },
    doc: 'one agreement in full',
  },
  { words: 'agreement reload', method: 'agreement.reload', doc: 'read the policy file again' },
  {
    ...{ words: 'partner list', method: 'partner.list', args: ['[match]'] },
    options: ['--trust <trusted|untrusted|unasked>', '--order <name|trouble|asked|ends>', '--from <n>', '--limit <n>'],
    shown: renderPartners,
    doc: 'partners, those that are not trusted first: verdict, reason, how busy, what ends',
  },
  { words: 'partner show', method: 'partner.show', args: ['<name>'], doc: 'one partner, with its verdicts of late' },
  {
    ...{ words: 'decision list', method: 'decision.list', args: ['[match]'] },
    options: [
      '--verdict <trusted|untrusted|reject>',
      '--method <trust.peer|trust.message>',
      '--agreement <name>',
      '--limit <n>',
    ],
    shown: renderDecisions,
    doc: 'the latest answers, the newest first',
  },
  { words: 'crl list', method: 'crl.list', shown: renderLists, doc: 'CRLs and OCSP statuses at hand' },
  {
    words: 'crl refresh',
    method: 'crl.refresh',
    args: ['[url]'],
    doc: 'fetch CRLs and OCSP statuses again; those in files are read by agreement reload',
  },
  {
    ...{ words: 'pin list', method: 'pin.list', args: ['[agreement]', '[state]'], shown: renderPins },
    doc: 'keys of an agreement, or of all (-): observed, approved, enforced, or whatever their state',
  },
  {
    words: 'pin approve',
    method: 'pin.approve',
    args: ['<agreement>', '<pin>'],
    shown: renderPins,
    doc: 'approve a key (sha256/...), or all',
  },
  {
    ...{ words: 'pin drop', method: 'pin.drop', args: ['<agreement>', '<pin>'], shown: renderPins },
    doc: 'forget a key (sha256/...), or all',
  },
  {
    ...{ words: 'policy status', method: 'policy.status', shown: renderCandidate },
    doc: 'the candidate policy, and what it would have changed',
  },
  {
    ...{ words: 'policy history', method: 'policy.history', shown: renderHistory },
    doc: 'what each reload changed, and who asked for it',
  },
  { words: 'audit list', method: 'audit.list', shown: renderAudit, doc: 'what operators changed of late' },
  { words: 'policy drop', method: 'policy.drop', doc: 'forget the candidate policy' },
  {
    words: 'fleet list',
    method: 'fleet.list',
    shown: renderNodes,
    doc: 'the nodes of the fleet, and which revision is in force where',
  },
  {
    ...{ words: 'hop resolve', method: 'hop.resolve', args: ['<uri>'], always: { wait_ms: 1000 } },
    from: ({ uri }) => nextHopOf(String(uri)),
    failed: (answer) => !isRecord(answer) || answer.status !== 'ready',
    doc: 'where a request with this URI, or to this domain, goes next; exit code 1: none is known',
  },
  {
    ...{ words: 'hop list', method: 'hop.list', args: ['[limit]'], shown: renderHops },
    doc: 'next hops of the agreements, as far as known',
  },
  { words: 'cache stats', method: 'cache.stats', doc: 'entries, hits and misses of the caches' },
  { words: 'cache flush', method: 'cache.flush', doc: 'empty the caches' },
  {
    ...{ words: 'token add', method: 'token.add', args: ['<name>'], required: ['--role <script|viewer|operator>'] },
    doc: 'make a bearer token for HTTP; it is shown once',
  },
  { words: 'token list', method: 'token.list', doc: 'the bearer tokens that are taken' },
  { words: 'token revoke', method: 'token.revoke', args: ['<name>'], doc: 'take a bearer token back' },
  {
    words: 'log level',
    method: 'log.level',
    args: ['[level]'],
    doc: 'show or set the level of the operator log: error, warn, info, debug',
  },
];

/** Whether a status names trouble: an older policy is in force, or the store or the policy of the fleet is not as it should be. */
function isTroubled({ status, store, fleet }: Readonly<Record<string, unknown>>): boolean {
  const [stored, joint] = [store, fleet].map((each) => (isRecord(each) ? each : {}));
  return status !== 'ok' || stored?.state === 'degraded' || (joint?.problem ?? '') !== '';
}

/** What people write for a next hop: a URI, a domain, an address, each of the last two with a port if they like. */
function nextHopOf(text: string): Readonly<Record<string, string>> {
  const address = parseAddress(/^\[(.*)\]$/.exec(text)?.[1] ?? text)?.text;
  if (address !== undefined) return { uri: `sip:${address.includes(':') ? `[${address}]` : address}` };
  if (/^(?:[^:]+|\[[^\]]*\]):[0-9]+$/.test(text) && !/^(?:sips?|tel):/i.test(text)) return { uri: `sip:${text}` };
  return text.includes(':') ? { uri: text } : { domain: text };
}

/** The params of `agreement show op-b`. */
export function paramsOf(command: DaemonCommand, values: readonly unknown[]): Record<string, unknown> {
  const names = (command.args ?? []).map((arg) => arg.slice(1, -1));
  const given = Object.fromEntries(names.flatMap((name, at) => (values[at] === undefined ? [] : [[name, values[at]]])));
  return { ...command.always, ...(command.from?.(given) ?? given) };
}
