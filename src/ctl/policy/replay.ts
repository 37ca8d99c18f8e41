/** `replay`: everything that was asked, asked of a candidate policy; what it would change. */

import { constants, createReadStream, openSync, type ReadStream, type Stats, statSync } from 'node:fs';
import { Socket } from 'node:net';
import { addAbortSignal, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { Command } from 'commander';
import type { DaemonSettings, StoreSettings } from '../../policy/settings/index.js';
import { counted } from '../../printable.js';
import { type FlatDifference, flatDifference } from '../../rpc/methods/index.js';
import { type AskedLine, askedLine } from '../../rpc/params/index.js';
import { Database } from '../../state/postgres/index.js';
import { readCertificates, StoreError } from '../../state/store/index.js';
import { findCertificate } from '../../state/tables/index.js';
import { CertificateCache, Differences } from '../../state/verdicts/index.js';
import type { Snapshot } from '../../trust/agreement/index.js';
import { type ApprovedPins, NO_APPROVED_PINS } from '../../trust/cover/index.js';
import { type AnsweredAgain, type AskedAgain, askAgain } from '../../trust/peer/index.js';
import type { CertificateFacts } from '../../x509/certificate/index.js';
import { parseRfc3339 } from '../../x509/der/index.js';
import { Progress, Stop } from '../long-work/index.js';
import { eachLine, type Print, Refusal, renderDifferences } from '../terminal/index.js';

export interface ReplayTools {
  readonly policy: (file: string) => { readonly snapshot: Snapshot; readonly settings: DaemonSettings };
  readonly approved: (file: string | undefined) => ApprovedPins | undefined;
  readonly print: Print;
  readonly exit: (code: number) => void;
  readonly input: Readable;
  readonly warn: (text: string) => void;
}

interface ReplayOptions {
  readonly config: string;
  readonly against?: string;
  readonly decisions?: readonly string[];
  readonly state?: string;
  readonly since?: string;
}

export interface ReplayAnswer {
  /** Questions that were asked again, and those of them that are answered otherwise. */
  readonly asked: number;
  readonly changed: number;
  /** Lines that are no such question, by the cause. */
  readonly skipped: Readonly<Record<string, number>>;
  readonly from: string;
  readonly until: string;
  readonly changes: readonly FlatDifference[];
}

/** Certificates in mind, and answers: logs say the same again and again. */
const MOST_CERTIFICATES = 10_000;
const MOST_ANSWERS = 100_000;

/** Adds `replay`. */
export function replayCommand(root: Command, tools: ReplayTools): void {
  root
    .command('replay')
    .description('ask a candidate policy everything that the decision log tells: what would change, by partner')
    .requiredOption('--config <file>', 'the candidate')
    .option('--against <file>', 'judge the "before" anew by this policy, in place of the answers in the log')
    .option(
      '--decisions <file...>',
      'decision logs, .gz too, - for standard input (default: as the candidate names it)',
    )
    .option('--state <file>', 'state file with the certificates (default: as the candidate names it)')
    .option('--since <when>', 'RFC 3339 instant, or as in 90m, 24h, 7d')
    .action(async (options: ReplayOptions) => {
      const stop = Stop.listen();
      try {
        const answer = await replay(options, tools, Date.now(), stop);
        tools.print(answer, renderReplay);
        tools.exit(answer.changed > 0 ? 1 : 0);
      } finally {
        stop.close();
      }
    });
}

async function replay(options: ReplayOptions, tools: ReplayTools, now: number, stop: Stop): Promise<ReplayAnswer> {
  const { snapshot, settings } = tools.policy(options.config);
  const baseline = options.against === undefined ? undefined : tools.policy(options.against).snapshot;
  const files = options.decisions ?? (settings.log.decisions === undefined ? [] : [settings.log.decisions]);
  const stateFile = options.state ?? settings.state.file;
  if (files.length === 0) throw new Refusal('expected --decisions, as the candidate names no decision log', 2);
  if (stateFile === undefined) throw new Refusal('expected --state, as the candidate names no state file', 2);
  const since = options.since === undefined ? Number.NEGATIVE_INFINITY : sinceInstant(options.since, now);
  const approved = tools.approved(stateFile) ?? NO_APPROVED_PINS;
  const tally = new Tally(since, new Answers(snapshot, approved), baseline && new Answers(baseline, approved));
  const store = openCertificates(stateFile);
  const fleet = settings.store === undefined ? undefined : openFleet(settings.store, tools.warn);
  /** What no line could find here is asked of the fleet, once. */
  const asked = async (record: unknown): Promise<AskedLine> => {
    const line = askedLine(record, store.read);
    const missing = store.missing();
    if (fleet === undefined || missing.length === 0) return line;
    for (const sha256 of missing) store.add(sha256, await fleet.find(sha256));
    return asked(record);
  };
  const logs = new Logs(files, tools.input);
  const progress = new Progress({ what: 'replay', total: logs.size });
  const soFar = () => tally.soFar();
  try {
    for (const file of files) {
      await eachLine(
        logs.open(file, stop.signal),
        async (record) => {
          stop.check(soFar);
          progress.at(logs.read, soFar);
          tally.take(await asked(record));
        },
        () => tally.skip('unreadable'),
      );
    }
  } catch (cause) {
    // A log that nobody writes to any more is cut off while it is waited for.
    stop.check(soFar);
    if (!(cause instanceof Error && 'code' in cause)) throw cause;
    throw new Refusal(`a decision log cannot be read: ${cause.message}`, 2, { cause });
  } finally {
    progress.clear();
    store.close();
    await fleet?.close();
  }
  return tally.answer();
}

/** What came of the lines until now. */
class Tally {
  readonly #since: number;
  readonly #candidate: Answers;
  readonly #before: Answers | undefined;
  readonly #differences = new Differences();
  readonly #skipped: Record<string, number> = {};
  #from = Number.POSITIVE_INFINITY;
  #until = Number.NEGATIVE_INFINITY;

  /** @param before undefined: the answers in the log are those of before */
  constructor(since: number, candidate: Answers, before: Answers | undefined) {
    this.#since = since;
    this.#candidate = candidate;
    this.#before = before;
  }

  skip(cause: string): void {
    this.#skipped[cause] = (this.#skipped[cause] ?? 0) + 1;
  }

  take(question: AskedLine): void {
    if ('malformed' in question) this.skip('unreadable');
    else if ('skip' in question) this.skip(question.skip);
    else if (question.at < this.#since) this.skip('earlier');
    else {
      const { id, at, evidence } = question;
      [this.#from, this.#until] = [Math.min(this.#from, at), Math.max(this.#until, at)];
      const then = this.#before === undefined ? question.before : this.#before.treatment(question);
      this.#differences.add(id, at, evidence.direction, then, this.#candidate.treatment(question));
    }
  }

  soFar(): string {
    const { asked, changed } = this.#differences.counts;
    return `${counted(asked, 'question')} asked again, ${changed} answered otherwise`;
  }

  /** @throws {Refusal} nothing could be asked again, and not because there was nothing */
  answer(): ReplayAnswer {
    const { asked, changed, untold } = this.#differences.counts;
    const skipped = { ...this.#skipped, ...(untold > 0 ? { 'changes-without-a-row': untold } : {}) };
    const unusable = ['missing-certificate', 'older-line', 'unreadable'].some((cause) => cause in skipped);
    if (asked === 0 && unusable) {
      const why = JSON.stringify(skipped);
      throw new Refusal(
        `expected questions that can be asked again, found none: ${why}; docs/trying.md says what it takes`,
        2,
      );
    }
    const instant = (at: number) => (asked === 0 ? '' : new Date(at).toISOString());
    const changes = this.#differences.rows().map(flatDifference);
    return { asked, changed, skipped, from: instant(this.#from), until: instant(this.#until), changes };
  }
}

/** The answers of one policy; the same question is judged once for as long as its answer holds. */
class Answers {
  readonly #known = new Map<string, AnsweredAgain & { readonly from: number }>();

  constructor(
    readonly snapshot: Snapshot,
    readonly approved: ApprovedPins,
  ) {}

  treatment(question: AskedAgain) {
    const { at, status, before } = question;
    const { tls, connectionId: _, ...evidence } = question.evidence;
    const certificate = tls?.certificate && 'sha256' in tls.certificate ? tls.certificate.sha256 : tls?.certificate;
    const chain = tls?.chain?.certificates.map(({ sha256 }) => sha256);
    const key = JSON.stringify([
      evidence,
      tls && { ...tls, certificate, chain },
      status,
      status === 'revoked' ? before : '',
    ]);
    const known = this.#known.get(key);
    if (known !== undefined && known.from <= at && at < known.validUntil) return known.treatment;
    const answer = askAgain(question, this.snapshot, this.approved);
    if (this.#known.size >= MOST_ANSWERS) this.#known.clear();
    this.#known.set(key, { ...answer, from: at });
    return answer.treatment;
  }
}

/** In one run; half of the octets are for what partners show, which is all of it here. */
const KEPT = { entries: MOST_CERTIFICATES, octets: 2 ** 30, idleMs: Number.MAX_SAFE_INTEGER };

/** Certificates of this node, and of others as they are added. */
interface Certificates {
  readonly read: (sha256: string) => CertificateFacts | undefined;
  /** What was not found since this was asked last, each once in a run. */
  readonly missing: () => readonly string[];
  readonly add: (sha256: string, der: Uint8Array | undefined) => void;
  readonly close: () => void;
}

function openCertificates(file: string): Certificates {
  const certificates = new CertificateCache(KEPT, { hits: 0, misses: 0 });
  const known = new Map<string, CertificateFacts>();
  const told = new Set<string>();
  let missing: string[] = [];
  const add = (sha256: string, der: Uint8Array | undefined): CertificateFacts | undefined => {
    const facts = der && certificates.read(Buffer.from(der).toString('base64'));
    if (facts === undefined || 'malformed' in facts || facts.sha256 !== sha256) return undefined;
    if (known.size >= MOST_CERTIFICATES) known.clear();
    known.set(sha256, facts);
    return facts;
  };
  try {
    const store = readCertificates(file);
    return {
      read: (sha256) => {
        const found = known.get(sha256) ?? add(sha256, store.find(sha256));
        if (found === undefined && !told.has(sha256)) {
          if (told.size >= MOST_CERTIFICATES) told.clear();
          told.add(sha256);
          missing.push(sha256);
        }
        return found;
      },
      missing: () => {
        const all = missing;
        missing = [];
        return all;
      },
      add,
      close: () => store.close(),
    };
  } catch (cause) {
    if (cause instanceof StoreError) throw new Refusal(cause.message, 2, { cause });
    throw cause;
  }
}

/** The certificates that other nodes have seen. Without the store a replay goes on with those of this node. */
function openFleet(settings: StoreSettings, warn: (text: string) => void) {
  const log = { info: () => {}, error: () => {} };
  const database = new Database({ settings, name: 'siptrustctl', log, clock: Date.now, random: Math.random });
  const connected = database.connect().then(
    () => true,
    (error: unknown) => {
      warn(`certificates of other nodes are not looked for: ${error instanceof Error ? error.message : String(error)}`);
      return false;
    },
  );
  return {
    find: async (sha256: string): Promise<Uint8Array | undefined> => {
      if (!(await connected)) return undefined;
      try {
        return await findCertificate((text, values) => database.query(text, values), sha256);
      } catch (error) {
        if (error instanceof StoreError) return undefined;
        throw error;
      }
    },
    close: async (): Promise<void> => {
      await connected;
      await database.close();
    },
  };
}

/** The decision logs of a run, one after the other, and how much of them is read. */
class Logs {
  /** Octets on the disk; undefined: one comes by a pipe, and nobody knows. */
  readonly size: number | undefined;
  readonly #input: Readable;
  #before = 0;
  #stream: ReadStream | Socket | undefined;

  constructor(files: readonly string[], input: Readable) {
    this.#input = input;
    const sizes = files.map((file) => (file === '-' ? undefined : statsOf(file)?.size));
    this.size = sizes.includes(undefined) ? undefined : sizes.reduce((sum: number, size) => sum + (size ?? 0), 0);
  }

  get read(): number {
    return this.#before + (this.#stream?.bytesRead ?? 0);
  }

  open(file: string, signal: AbortSignal): Readable {
    if (file === '-') return addAbortSignal(signal, this.#input);
    this.#before = this.read;
    const stream = statsOf(file)?.isFIFO() ? fifoStream(file, signal) : createReadStream(file, { signal });
    this.#stream = stream;
    if (!file.endsWith('.gz')) return stream;
    const unpacked = createGunzip();
    stream.on('error', (error: Error) => unpacked.destroy(error));
    return stream.pipe(unpacked);
  }
}

/** What is not there, or may not be looked at, is told by whoever reads it. */
function statsOf(file: string): Stats | undefined {
  try {
    return statSync(file);
  } catch {
    return undefined;
  }
}

/** To open a FIFO is to wait for whoever writes, in a thread that hears no signal: this one is open at once, and waits to be read. */
function fifoStream(file: string, signal: AbortSignal): Socket {
  const fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  return addAbortSignal(signal, new Socket({ fd, readable: true, writable: false }));
}

const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

function sinceInstant(text: string, now: number): number {
  const [, count, unit] = /^(\d{1,6})([mhd])$/.exec(text) ?? [];
  const at = count === undefined ? parseRfc3339(text) : now - Number(count) * (UNITS[unit ?? ''] ?? 0);
  if (at === undefined) {
    throw new Refusal(`--since: expected an RFC 3339 instant, or as in 90m, 24h, 7d, found "${text}"`, 2);
  }
  return at;
}

function renderReplay({ asked, changed, skipped, from, until, changes }: ReplayAnswer): string {
  const left = Object.entries(skipped).map(([cause, count]) => `${count} ${cause}`);
  const span = asked === 0 ? '' : `, ${from} to ${until}`;
  const head = [`${counted(asked, 'question')} asked again${span}; ${changed} answered otherwise`];
  if (left.length > 0) head.push(`left out: ${left.join(', ')}`);
  return changes.length === 0 ? head.join('\n') : [...head, '', renderDifferences(changes)].join('\n');
}
