/**
 * The thread that writes the state file: a slow disk, or somebody else who writes the file, holds up it and nobody else.
 */

import { parentPort, workerData } from 'node:worker_threads';
import Database from 'better-sqlite3';

/** One statement, run once for each row of parameters. */
export interface WriteStep {
  readonly sql: string;
  readonly rows: readonly (readonly (string | number | Uint8Array | null)[])[];
}

/** Steps that are done all or none; without steps: the file is closed. */
export interface WriteOrder {
  readonly id: number;
  readonly steps: readonly WriteStep[] | undefined;
}

/** `code` and `message` say why nothing was written. */
export interface WriteResult {
  readonly id: number;
  readonly failed?: { readonly code: string; readonly message: string };
}

export interface WriterData {
  readonly file: string;
  readonly busyMs: number;
}

const { file, busyMs } = workerData as WriterData;
const database = new Database(file, { timeout: busyMs, fileMustExist: true });
// Every commit is on the disk before it is acknowledged.
database.pragma('synchronous = FULL');

const write = database.transaction((steps: readonly WriteStep[]) => {
  for (const { sql, rows } of steps) {
    const statement = database.prepare(sql);
    for (const row of rows) statement.run(...row);
  }
});

function carriedOut({ id, steps }: WriteOrder): WriteResult {
  try {
    if (steps === undefined) database.close();
    else write.immediate(steps);
    return { id };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    return { id, failed: { code, message: error instanceof Error ? error.message : String(error) } };
  }
}

parentPort?.on('message', (order: WriteOrder) => parentPort?.postMessage(carriedOut(order)));
