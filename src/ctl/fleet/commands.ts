/** The policy of the fleet from the command line: push it, look at it, take a partner out everywhere at once. */

import { hostname, userInfo } from 'node:os';
import type { Command } from 'commander';
import { loadSettings } from '../../policy/loading/index.js';
import { REVISION_WORDS, type RevisionContent } from '../../policy/revision/index.js';
import type { DaemonSettings } from '../../policy/settings/index.js';
import { type Policy, policyDifferences } from '../../policy/snapshot/index.js';
import { FleetDatabase, revisionRow, type StoredRevision } from '../../state/fleet/index.js';
import { Progress, Stop } from '../long-work/index.js';
import { type Print, Refusal } from '../terminal/index.js';
import { makeFolder } from './make-folder.js';
import { allThere, type NodeState, nodeState, waitForNodes } from './nodes-wait.js';
import { fetchPolicy, policyOf, policyOfFile, preparePolicy } from './policy-bundle.js';
import { makePolicyKey, readPolicyKey } from './policy-key-file.js';
import { firstCame, Pusher } from './pusher.js';
import { withDatabase } from './store.js';

export interface FleetTools {
  readonly group: (words: readonly string[]) => Command;
  readonly print: Print;
  readonly exit: (code: number) => void;
}

interface StoreOptions {
  readonly config: string;
}

interface PushOptions extends StoreOptions {
  readonly message: string;
  readonly key?: string;
  readonly author?: string;
  readonly wait?: string | true;
  readonly requireAll: boolean;
  readonly base?: string;
}

const DEFAULT_CONFIG = '/etc/siptrust/siptrust.yaml';
const DEFAULT_WAIT_S = 30;
/** A large policy may take its time: nobody's call waits for it. */
const STATEMENT_MS = 120_000;

/** Adds what asks and changes the policy of a fleet. */
export function fleetCommands({ group, print, exit }: FleetTools): void {
  const policy = group(['policy']);
  const done = (pushed: Pushed): void => {
    print(pushed);
    exit(pushed.complete === false ? 1 : 0);
  };

  pushing(policy.command('push'))
    .description('check a policy with all files that it names, and put it in force on all nodes of the fleet')
    .argument('<file>', 'policy file; its daemon: section stays here')
    .option('--base <number>', 'the revision that it was made on, instead of the newest one')
    .action(async (file: string, options: PushOptions) =>
      done(
        await push(options, (head) => {
          const { content, blobs, warnings, files, agreements } = preparePolicy(file, Date.now());
          const withdrawn = head?.revision.withdrawn ?? [];
          const said = {
            agreements: agreements.length,
            files,
            warnings: [...warnings, ...unnamed(withdrawn, agreements)],
          };
          return { content: { ...content, withdrawn }, said, blobs };
        }),
      ),
    );
  storing(policy.command('list'))
    .description('the newest policy revisions of the fleet')
    .option('--limit <number>', 'how many', '20')
    .action(async ({ config, limit }: StoreOptions & { limit: string }) => {
      const revisions = await withFleet(config, ({ database }) => database.revisions(revisionNumber(limit, '--limit')));
      print(revisions.map(revisionRow));
    });
  storing(policy.command('show'))
    .description('one policy revision of the fleet')
    .argument('<number>')
    .option('--out <directory>', 'write its files there, as it was pushed: a directory that is not there yet')
    .action(async (number: string, { config, out }: StoreOptions & { out?: string }) =>
      print(await withFleet(config, ({ database }) => show(database, revisionNumber(number, 'NUMBER'), out))),
    );
  pushing(policy.command('rollback'))
    .description('make a new revision with the content of an old one; what is disabled now stays disabled')
    .argument('<number>')
    .action(async (number: string, options: PushOptions) => {
      const wanted = revisionNumber(number, 'NUMBER');
      const message = options.message === '' ? `rollback to ${wanted}` : options.message;
      done(
        await push({ ...options, message }, async (head, database) => {
          const { revision } = await existing(database, wanted);
          const { main, tree, names, withdrawn } = revision;
          // Nodes would stay where they are, and the operator believe that they went back.
          const files = await fetchPolicy(revision, database);
          const { snapshot } = policyOf({ ...revision, withdrawn: [] }, files, Date.now());
          const all = [...new Set([...withdrawn, ...(head?.revision.withdrawn ?? [])])].sort();
          const warnings = unnamed(
            all,
            Array.from(snapshot.agreements, ({ name }) => name),
          );
          return { content: { main, tree, names, withdrawn: all }, said: { content_of: wanted, warnings } };
        }),
      );
    });
  policy
    .command('key')
    .description('keys by which nodes take revisions (daemon.policy_keys)')
    .command('new')
    .description('make an Ed25519 key: FILE signs pushes, FILE.pub goes to the nodes')
    .argument('<file>')
    .action((file: string) => print(makePolicyKey(file)));

  withdrawing(group(['agreement']).command('disable'), 'take a partner out on all nodes of the fleet, at once').action(
    async (name: string, options: PushOptions & { fleet: boolean }) => done(await withdraw(name, options, true)),
  );
  withdrawing(group(['agreement']).command('enable'), 'take back what agreement disable --fleet did').action(
    async (name: string, options: PushOptions & { fleet: boolean }) => done(await withdraw(name, options, false)),
  );

  storing(group(['fleet']).command('wait'))
    .description('wait until the nodes have the newest revision in force, or say who has not and why')
    .argument('[seconds]', 'how long', String(DEFAULT_WAIT_S))
    .option('--require-all', 'also nodes that are not heard of', false)
    .action(async (text: string, { config, requireAll }: StoreOptions & { requireAll: boolean }) => {
      const states = await withFleet(config, async ({ database }) => {
        const number = (await database.head())?.revision.number ?? 0;
        return patiently(
          database,
          number,
          { seconds: seconds(text, 'SECONDS'), all: requireAll },
          `revision ${number} is the newest`,
        );
      });
      print(states);
      exit(allThere(states, requireAll) ? 0 : 1);
    });
  storing(group(['fleet']).command('forget'))
    .description('take a node that is no more out of the list')
    .argument('<node>')
    .action(async (node: string, { config }: StoreOptions) => {
      if (await withFleet(config, ({ database }) => database.forget(node))) return print({ forgotten: node });
      throw new Refusal(`no node is named ${JSON.stringify(node)}`, 1);
    });
}

function storing(command: Command): Command {
  return command.option('--config <file>', 'a policy file whose daemon.store is that of the fleet', DEFAULT_CONFIG);
}

function pushing(command: Command): Command {
  return storing(command)
    .option('-m, --message <comment>', 'why', '')
    .option('--key <file>', 'private key to sign with: what daemon.policy_keys of the nodes asks for')
    .option('--author <name>', 'who, instead of USER@HOST')
    .option(
      '--wait [seconds]',
      `wait until the nodes that are alive are there (default ${DEFAULT_WAIT_S}); agreement disable does so anyhow`,
      // Here, so that a file which is taken for the seconds is not said to be missing.
      (text: string) => String(seconds(text, '--wait')),
    )
    .option('--require-all', 'push only if all known nodes are alive and there, and wait for all of them', false);
}

function withdrawing(command: Command, description: string): Command {
  return pushing(command)
    .description(description)
    .argument('<name>')
    .option('--fleet', 'on all nodes: there is no other way but the policy file', false)
    .option('--force', 'even if no agreement of the policy has this name', false);
}

interface Fleet {
  readonly database: FleetDatabase;
  readonly settings: DaemonSettings;
}

/** @throws {Refusal} the file names no store, or the store is away */
async function withFleet<T>(config: string, work: (fleet: Fleet) => Promise<T>): Promise<T> {
  const settings = loadSettings(config, Date.now());
  if ('problems' in settings)
    throw new Refusal(`${config} is not good (--config FILE names another one)\n${settings.problems.join('\n')}`, 2);
  const { store } = settings;
  if (store === undefined) throw new Refusal(`${config}: expected daemon.store, found none (--config FILE)`, 2);
  const patient = { ...store, queryTimeout: Math.max(store.queryTimeout, STATEMENT_MS) };
  return withDatabase(patient, true, (connection) => work({ database: new FleetDatabase(connection), settings }));
}

interface Made {
  readonly content: RevisionContent;
  /** What is told of it beside the number. */
  readonly said: object;
  /** Contents that the store may lack. */
  readonly blobs?: ReadonlyMap<string, Uint8Array>;
}

interface Pushed {
  readonly revision: number;
  readonly base: number;
  readonly nodes?: readonly NodeState[];
  /** Whether all nodes that were waited for are there; absent: nobody waited. */
  readonly complete?: boolean;
}

/** Waits, and says how many are there; a signal ends the waiting, and no more. @throws {Refusal} a signal came */
async function patiently(
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

/** @param make is told the newest revision before it reads any file: who pushes meanwhile comes first */
async function push(
  options: PushOptions,
  make: (head: StoredRevision | undefined, database: FleetDatabase) => Made | Promise<Made>,
): Promise<Pushed> {
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

/** A partner whose agreement has another name now is in again, whoever took him out. */
function unnamed(withdrawn: readonly string[], agreements: readonly string[]): readonly string[] {
  const names = new Set(agreements);
  return withdrawn
    .filter((name) => !names.has(name))
    .map((name) => `disabled: ${name}: no agreement here is named so (if it was renamed, the partner is in again)`);
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

async function withdraw(
  name: string,
  options: PushOptions & { readonly fleet: boolean; readonly force?: boolean },
  disable: boolean,
): Promise<Pushed> {
  if (!options.fleet) {
    const how = 'a policy file of one daemon says so itself (enabled: false, then siptrustctl agreement reload)';
    throw new Refusal(`expected --fleet: ${how}`, 2);
  }
  // On a node that does not follow he may be trusted: whoever takes him out hears of it.
  const waits = disable ? { ...options, wait: options.wait ?? true } : options;
  return push(waits, async (head, database) => {
    if (head === undefined) throw new Refusal('the fleet has no policy: nothing was pushed yet', 1);
    const { withdrawn, ...content } = head.revision;
    const known = withdrawn.includes(name);
    if (known === disable)
      throw new Refusal(`${name}: ${disable ? 'disabled already' : 'not disabled by the fleet'}`, 1);
    // A name that is mistyped would leave the partner trusted, and the operator sure that he is not.
    if (disable && options.force !== true && !(await isNamed(database, content.names, name))) {
      throw new Refusal(`no agreement of revision ${content.number} is named ${JSON.stringify(name)} (--force)`, 1);
    }
    const next = disable ? [...withdrawn, name].sort() : withdrawn.filter((each) => each !== name);
    const { main, tree, names } = content;
    return { content: { main, tree, names, withdrawn: next }, said: { agreement: name } };
  });
}

async function isNamed(database: FleetDatabase, names: string, name: string): Promise<boolean> {
  const list = Buffer.from(await database.contents.whole(names)).toString('utf8');
  return list.split('\n').includes(JSON.stringify(name));
}

async function existing(database: FleetDatabase, number: number): Promise<StoredRevision> {
  const found = await database.revision(number);
  if (found !== undefined) return found;
  const head = (await database.head())?.revision.number ?? 0;
  throw new Refusal(`revision ${number}: expected one of the store, whose newest is ${head}`, 1);
}

async function show(database: FleetDatabase, number: number, out: string | undefined): Promise<object> {
  const stored = await existing(database, number);
  const { files, blobs } = await fetchPolicy(stored.revision, database);
  if (out !== undefined) makeFolder(out, files, blobs);
  const { main, tree } = stored.revision;
  return { ...revisionRow(stored), main, tree, files: files.map(({ path, octets }) => ({ path, octets })) };
}

/** What differs between two revisions, or a revision and a file. @throws {Refusal} one of them is none */
export function fleetDifferences(before: string, after: string, config: string) {
  return withFleet(config, async ({ database }) => {
    const policy = async (text: string): Promise<Policy> => {
      if (!isRevisionNumber(text)) return policyOfFile(text, Date.now());
      const { revision } = await existing(database, Number(text));
      return policyOf(revision, await fetchPolicy(revision, database), Date.now());
    };
    return policyDifferences(await policy(before), await policy(after));
  });
}

/** Whether a word is the number of a revision, and no file. */
export function isRevisionNumber(text: string): boolean {
  return /^[1-9][0-9]{0,14}$/.test(text);
}

/** @param input what it was given as */
function revisionNumber(text: string, input: string): number {
  if (isRevisionNumber(text) || text === '0') return Number(text);
  throw new Refusal(`${input}: expected a number, found ${JSON.stringify(text)}`, 2);
}

function seconds(text: string | true, input: string): number {
  if (text === true) return DEFAULT_WAIT_S;
  if (/^[0-9]{1,6}$/.test(text)) return Number(text);
  throw new Refusal(`${input}: expected whole seconds, found ${JSON.stringify(text)}`, 2);
}
