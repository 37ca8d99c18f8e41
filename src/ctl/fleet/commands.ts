/** The policy of the fleet from the command line: push it, look at it, take a partner out everywhere at once. */

import type { Command } from 'commander';
import { type FleetDatabase, revisionRow } from '../../state/fleet/index.js';
import { type Print, Refusal } from '../terminal/index.js';
import { ofFile, ofRevision, withAgain, without } from './contents.js';
import { existing, revisionNumber, withFleet } from './fleet-store.js';
import { makeFolder } from './make-folder.js';
import { allThere } from './nodes-wait.js';
import { fetchPolicy } from './policy-bundle.js';
import { makePolicyKey } from './policy-key-file.js';
import { DEFAULT_WAIT_S, type Pushed, type PushOptions, patiently, push, seconds } from './push.js';

export interface FleetTools {
  readonly group: (words: readonly string[]) => Command;
  readonly print: Print;
  readonly exit: (code: number) => void;
}

interface StoreOptions {
  readonly config: string;
}

interface WithdrawOptions extends PushOptions {
  readonly fleet: boolean;
  readonly force: boolean;
}

const DEFAULT_CONFIG = '/etc/siptrust/siptrust.yaml';

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
    .action(async (file: string, options: PushOptions) => done(await push(options, ofFile(file))));
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
      done(await push({ ...options, message }, ofRevision(wanted)));
    });
  policy
    .command('key')
    .description('keys by which nodes take revisions (daemon.policy_keys)')
    .command('new')
    .description('make an Ed25519 key: FILE signs pushes, FILE.pub goes to the nodes')
    .argument('<file>')
    .action((file: string) => print(makePolicyKey(file)));

  withdrawing(group(['agreement']).command('disable'), 'take a partner out on all nodes of the fleet, at once').action(
    async (name: string, options: WithdrawOptions) => {
      onAllNodes(options);
      // On a node that does not follow he may be trusted: whoever takes him out hears of it.
      done(await push({ ...options, wait: options.wait ?? true }, without(name, options.force)));
    },
  );
  withdrawing(group(['agreement']).command('enable'), 'take back what agreement disable --fleet did').action(
    async (name: string, options: WithdrawOptions) => {
      onAllNodes(options);
      done(await push(options, withAgain(name)));
    },
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

function onAllNodes({ fleet }: WithdrawOptions): void {
  if (fleet) return;
  const how = 'a policy file of one daemon says so itself (enabled: false, then siptrustctl agreement reload)';
  throw new Refusal(`expected --fleet: ${how}`, 2);
}

async function show(database: FleetDatabase, number: number, out: string | undefined): Promise<object> {
  const stored = await existing(database, number);
  const { files, blobs } = await fetchPolicy(stored.revision, database);
  if (out !== undefined) makeFolder(out, files, blobs);
  const { main, tree } = stored.revision;
  return { ...revisionRow(stored), main, tree, files: files.map(({ path, octets }) => ({ path, octets })) };
}
