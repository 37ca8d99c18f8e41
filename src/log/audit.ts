/** The audit log: what operators changed, one JSON line each, appended to a file that nobody else reads. */

import { closeSync, fchmodSync, fstatSync, openSync, readSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { isRecord } from '../typed.js';
import { TO_APPEND } from './log-file.js';
import type { Logger } from './logger.js';

/** One change, or one that was asked for and failed. */
export interface AuditRecord {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly method: string;
  readonly params: unknown;
  readonly wire: string;
  /** Where it came from: `127.0.0.1:40222`, or the path of a socket. */
  readonly peer: string;
  /** The credential that was shown; empty: the socket needed none. */
  readonly credential: string;
  /** Whom the client says that it works for. */
  readonly claimed: string;
  /** `done`, or the message of the error. */
  readonly outcome: string;
  readonly revisionBefore: number;
  readonly revisionAfter: number;
}

/** A record as it stands in the file. */
export interface AuditLine {
  readonly time: string;
  readonly method: string;
  readonly params: unknown;
  readonly outcome: string;
  readonly wire: string;
  readonly peer: string;
  readonly credential: string;
  readonly by: string;
  readonly old_revision: number;
  readonly new_revision: number;
}

export interface AuditLog {
  /** Settles when the line is where it outlives this machine or a crash; undefined: nobody has to wait for it. */
  write(record: AuditRecord): Promise<void> | undefined;
  /** The latest lines, the newest first: with a file, those of earlier runs too. */
  recent(): readonly AuditLine[];
  close(): Promise<void>;
}

/** The audit log of a fleet. */
export interface SharedAudit {
  /** Settles when the line is in the store or, while that is away, on this disk until it is. Rejects: it is nowhere. */
  add(record: AuditRecord): Promise<void>;
}

const MODE = 0o600;
/** Params of one record, in characters. */
const LONGEST_PARAMS = 2000;
/** Lines that are kept to be asked for. */
const MOST_RECENT = 200;
/** Octets at the end of the file that are looked through for them. */
const TAIL = 262_144;

export const NO_AUDIT_LOG: AuditLog = Object.freeze({
  write: () => undefined,
  recent: () => [],
  close: async () => {},
});

/**
 * Opens the audit log; without a file the operator log alone tells of changes. The file is opened anew for each line, so
 * that it can be rotated at any time.
 * @throws {Error} as the system says it: the file cannot be opened
 */
export function auditLog(file: string | undefined, log: Logger, shared?: SharedAudit): AuditLog {
  let last: Promise<void> = Promise.resolve();
  const recent: AuditLine[] = [];
  if (file !== undefined) {
    const descriptor = openSync(file, 'a+', MODE);
    try {
      if (!fstatSync(descriptor).isFile())
        throw new Error(`${file}: expected a file for the audit log, found none: it is read back`);
      fchmodSync(descriptor, MODE);
      recent.push(...linesAtEnd(descriptor));
    } finally {
      closeSync(descriptor);
    }
  }
  return {
    write: (record) => {
      const { method, outcome, wire, peer, credential, claimed, revisionBefore, revisionAfter } = record;
      const revisions = { old_revision: revisionBefore, new_revision: revisionAfter };
      log.info('an operator asked', { method, outcome, wire, peer, credential, by: claimed, ...revisions });
      const added = shared?.add(record);
      const line: AuditLine = {
        time: new Date(record.at).toISOString(),
        ...{ method, params: shortened(record.params), outcome, wire, peer, credential, by: claimed, ...revisions },
      };
      recent.push(line);
      if (recent.length > MOST_RECENT) recent.shift();
      if (file === undefined) return added;
      last = last
        .then(() => append(file, `${JSON.stringify(line)}\n`))
        .catch((error: unknown) => {
          log.error('the audit log could not be written', { error: String(error), line });
        });
      return added;
    },
    recent: () => recent.toReversed(),
    close: () => last,
  };
}

/** The last whole lines of a file, the oldest first; what is no record is left out. */
function linesAtEnd(descriptor: number): readonly AuditLine[] {
  const { size } = fstatSync(descriptor);
  const tail = Buffer.alloc(Math.min(size, TAIL));
  readSync(descriptor, tail, 0, tail.length, size - tail.length);
  const lines = tail.toString('utf8').split('\n');
  // The first one began before.
  if (size > TAIL) lines.shift();
  return lines.flatMap(record).slice(-MOST_RECENT);
}

function record(line: string): readonly AuditLine[] {
  try {
    const found: unknown = JSON.parse(line);
    if (!isRecord(found)) return [];
    const { time, method, params, outcome, wire, peer, credential, by, old_revision, new_revision } = found;
    if (typeof time !== 'string' || typeof method !== 'string' || typeof outcome !== 'string') return [];
    if (typeof wire !== 'string' || typeof peer !== 'string' || typeof credential !== 'string') return [];
    if (typeof by !== 'string' || typeof old_revision !== 'number' || typeof new_revision !== 'number') return [];
    return [{ time, method, params, outcome, wire, peer, credential, by, old_revision, new_revision }];
  } catch {
    return [];
  }
}

async function append(file: string, text: string): Promise<void> {
  const handle = await open(file, TO_APPEND, MODE);
  try {
    await handle.appendFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** What an operator sent, up to a length. */
export function shortened(params: unknown): unknown {
  const text = JSON.stringify(params) ?? '';
  return text.length <= LONGEST_PARAMS ? params : `${text.slice(0, LONGEST_PARAMS)}...`;
}
