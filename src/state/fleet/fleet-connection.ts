/** What the store of a fleet is asked by. */

import type { Run, SqlRow, SqlValue } from '../postgres/index.js';

/** As postgres/database.ts has it. */
export interface FleetConnection {
  readonly name: string;
  query<Row extends SqlRow = SqlRow>(text: string, values?: readonly SqlValue[]): Promise<readonly Row[]>;
  transaction<T>(work: (run: Run) => Promise<T>): Promise<T>;
  listen(channel: string, told: (payload: string | undefined) => void): void;
}
