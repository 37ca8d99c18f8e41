/** The audit log: what operators changed, one JSON line each, appended to a file that nobody else reads. */

import { closeSync, fchmodSync, openSync } from 'node:fs';
import { open } from 'node:fs/promises';
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

export interface AuditLog {
  write(record: AuditRecord): void;
  close(): Promise<void>;
}

const MODE = 0o600;
/** Params of one record, in characters. */
const LONGEST_PARAMS = 2000;

/**
 * Opens the audit log; without a file the operator log alone tells of changes. The file is opened anew for each line, so
 * that it can be rotated at any time.
 * @throws {Error} as the system says it: the file cannot be opened
 */
export function auditLog(file: string | undefined, log: Logger): AuditLog {
  let last: Promise<void> = Promise.resolve();
  if (file !== undefined) {
    const descriptor = openSync(file, 'a', MODE);
    try {
      fchmodSync(descriptor, MODE);
    } finally {
      closeSync(descriptor);
    }
  }
  return {
    write: (record) => {
      const { method, outcome, wire, peer, credential, claimed, revisionBefore, revisionAfter } = record;
      const revisions = { old_revision: revisionBefore, new_revision: revisionAfter };
      log.info('an operator asked', { method, outcome, wire, peer, credential, by: claimed, ...revisions });
      if (file === undefined) return;
      const line = {
        time: new Date(record.at).toISOString(),
        ...{ method, params: shortened(record.params), outcome, wire, peer, credential, by: claimed, ...revisions },
      };
      last = last
        .then(() => append(file, `${JSON.stringify(line)}\n`))
        .catch((error: unknown) => {
          log.error('the audit log could not be written', { error: String(error), line });
        });
    },
    close: () => last,
  };
}

async function append(file: string, text: string): Promise<void> {
  const handle = await open(file, 'a', MODE);
  try {
    await handle.appendFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function shortened(params: unknown): unknown {
  const text = JSON.stringify(params) ?? '';
  return text.length <= LONGEST_PARAMS ? params : `${text.slice(0, LONGEST_PARAMS)}...`;
}
