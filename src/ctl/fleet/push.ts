/** Brings a revision into the store of a fleet, and waits for its nodes. */

import { hostname, userInfo } from 'node:os';
import { REVISION_WORDS, type RevisionContent } from '../../policy/revision/index.js';
import type { FleetDatabase, StoredRevision } from '../../state/fleet/index.js';
import { Progress, Stop } from '../long-work/index.js';
import { Refusal } from '../terminal/index.js';
import { revisionNumber, withFleet } from './fleet-store.js';
import { allThere, type NodeState, nodeState, waitForNodes } from './nodes-wait.js';
import { readPolicyKey } from './policy-key-file.js';
import { firstCame, Pusher } from './pusher.js';

/** How long is waited where nobody says so, in seconds. */
export const DEFAULT_WAIT_S = 30;

export interface PushOptions {
  readonly config: string;
  readonly message: string;
  readonly key?: string;
  readonly author?: string;
  readonly wait?: string | true;
  readonly requireAll: boolean;
  readonly base?: string;
}

/** What becomes a revision. */
export interface Made {
  readonly content: RevisionContent;
  /** What is told of it beside the number. */
  readonly said: object;
  /** Contents that the store may lack. */
  readonly blobs?: ReadonlyMap<string, Uint8Array>;
}

export interface Pushed {
  readonly revision: number;
  readonly base: number;
  readonly nodes?: readonly NodeState[];
  /** Whether all nodes that were waited for are there; absent: nobody waited. */
  readonly complete?: boolean;
}

/** @param head the newest revision; undefined: there is none yet */
export type Make = (head: StoredRevision | undefined, database: FleetDatabase) => Made | Promise<Made>;

/**
 * Pushes what is made on the newest revision.
 * @param make is told that one before it reads any file: who pushes meanwhile comes first
 * @throws {Refusal}
 */
export async function push(options: PushOptions, make: Make): Promise<Pushed> {
  const { config, message, author = `${userInfo().username}@${hostname()}`, requireAll: all } = options;
  for (const [option, text, most] of [
    ['-m', message, REVISION_WORDS.comment],
    ['--author', author, REVISION_WORDS.author],
  ] as const) {
    if (text.length > most) {
      throw new Refusal(`${option}: expected at most ${most} characters, found ${text.length}`, 2);
    }
  }
  const key = options.key === undefined ? undefined : readPolicyKey(options.key);
  const wait = options.wait === undefined && !all ? undefined : seconds(options.wait ?? true, '--wait');
  return withFleet(config, async ({ database, settings }) => {
    const { fleet, policyKeys } = settings;
    // Before the newest one: what others push in between is no sign of a restore.
    const last = await database.lastNumber();
    const head = await database.head();
    checkBase(head, last, options.base);
    const { content, said, blobs } = await make(head, database);
    if (all) await allThereBefore(database, head?.revision.number ?? 0);
    const pusher = new Pusher({ database, fleet: fleet.name, policyKeys, key, author, clock: Date.now });
    const { number, base, withdrawn } = await pusher.push(head, content, message, blobs);
    const made = head && { base_by: head.revision.author, base_at: new Date(head.at).toISOString() };
    const told = { revision: number, base, ...made, ...said, disabled: withdrawn };
    if (wait === undefined) return told;
    const nodes = await patiently(database, number, { seconds: wait, all }, `revision ${number} is pushed`);
    return { ...told, nodes, complete: allThere(nodes, all) };
  });
}

/** @throws {Refusal} files were made on another revision, or revisions are gone that nodes have in force */
function checkBase(head: StoredRevision | undefined, last: number, base: string | undefined): void {
  const newest = head?.revision.number ?? 0;
  if (base === undefined) {
    if (last <= newest) return;
    const restored = `revision ${last} is in force on a node, and the newest of the store is ${newest}: it was restored`;
    const lost =
      'Whom agreement disable --fleet took out since then would be in again (siptrustctl status of a node names them)';
    const next = `siptrustctl policy push FILE --base ${newest}`;
    throw new Refusal(`nothing was pushed: ${restored}. ${lost}: say enabled: false there, then ${next}`, 1);
  }
  const on = revisionNumber(base, '--base');
  if (on > newest) throw new Refusal(`--base ${on}: expected a revision of the store, whose newest is ${newest}`, 1);
  if (head !== undefined && on < newest) throw new Refusal(firstCame(head, on), 1);
}

async function allThereBefore(database: FleetDatabase, number: number): Promise<void> {
  const missing = (await database.nodes())
    .map((node) => nodeState(node, number))
    .filter(({ state }) => state !== 'there');
  if (missing.length === 0) return;
  const rows = missing.map(
    ({ node, revision, state, problem }) => `${node}: ${state}, revision ${revision} ${problem}`,
  );
  const gone = 'siptrustctl fleet forget NODE takes one out that is no more';
  throw new Refusal(`nothing was pushed: not all nodes are there (${gone})\n${rows.join('\n')}`, 1);
}

/**
 * Waits until the nodes have a revision in force, and says how many do; a signal ends the waiting, and no more.
 * @param fact what is so, whatever becomes of the waiting: `revision 7 is pushed`
 * @throws {Refusal} a signal came
 */
export async function patiently(
  database: FleetDatabase,
  number: number,
  waiting: { readonly seconds: number; readonly all: boolean },
  fact: string,
): Promise<readonly NodeState[]> {
  const stop = Stop.listen();
  const progress = new Progress({ what: `waiting for revision ${number}` });
  try {
    const look = (states: readonly NodeState[]) => progress.at(0, () => thereText(states));
    const nodes = await waitForNodes(database, number, { ...waiting, look, signal: stop.signal });
    stop.check(() => `${fact}, ${thereText(nodes)}; nodes go on to take it (siptrustctl fleet wait)`);
    return nodes;
  } finally {
    progress.clear();
    stop.close();
  }
}

function thereText(states: readonly NodeState[]): string {
  const missing = states.filter(({ state }) => state !== 'there').map(({ node, state }) => `${node} ${state}`);
  const rest = missing.length === 0 ? '' : ` (${missing.join(', ')})`;
  return `in force on ${states.length - missing.length} of ${states.length} nodes${rest}`;
}

/**
 * How long to wait.
 * @param input what it was given as
 * @throws {Refusal}
 */
export function seconds(text: string | true, input: string): number {
  if (text === true) return DEFAULT_WAIT_S;
  if (/^[0-9]{1,6}$/.test(text)) return Number(text);
  throw new Refusal(`${input}: expected whole seconds, found ${JSON.stringify(text)}`, 2);
}
