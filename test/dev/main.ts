/**
 * `make dev`: siptrustd on partners and questions of its own, compiled and started again whenever a file of src/ changes. A
 * change that does not compile, or a daemon that does not start, is told, and the next change tries again. Ctrl-C ends all.
 */

import { watch } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Child } from '../support/live/child.js';
import { longWork } from '../support/live/long-work.js';
import { accepts, loopbackBlock, runDirectory } from '../support/live/places.js';
import { stage } from '../ui/stage.js';

const ROOT = join(import.meta.dirname, '../..');
const SRC = join(ROOT, 'src');
/** Editors write a file in several steps. */
const QUIET_MS = 200;
const EVERY_MS = 1000;

const say = (text: string): void => void process.stdout.write(`${text}\n`);

/** Files of src/ that have changed since this was asked last. */
function changes(): () => readonly string[] {
  let changed = new Set<string>();
  watch(SRC, { recursive: true }, (_, name) => {
    if (name !== null && /\.(tsx?|css|html)$/.test(name)) changed.add(name);
  });
  return () => {
    const all = [...changed];
    changed = new Set();
    return all;
  };
}

/** Whether it compiles; what is wrong is told. */
async function compiled(files: readonly string[]): Promise<boolean> {
  const commands: (readonly string[])[] = [];
  if (files.some((name) => !name.startsWith('web/'))) commands.push(['node_modules/.bin/tsc', '-p', 'tsconfig.json']);
  if (files.some((name) => name.startsWith('web/')))
    commands.push(['node_modules/.bin/vite', 'build', '--config', 'vite.web.config.ts', '--logLevel', 'warn']);
  for (const [command = '', ...args] of commands) {
    const child = new Child(command, args, { cwd: ROOT });
    if ((await child.exit()) === 0) continue;
    say(child.output.trimEnd());
    return false;
  }
  return true;
}

await longWork('dev', undefined, async () => {
  // The address that `make demo` names, unless a siptrustd is there.
  const taken = (await accepts('127.0.0.1', 7061)) || (await accepts('127.0.0.1', 7060));
  const { daemon, origin, tokens, ask } = await stage(taken ? loopbackBlock()(1) : '127.0.0.1', runDirectory().path);
  say(`siptrustctl:           node dist/ctl/main.js --socket ${daemon.socket} status`);
  say(`The page:              ${origin}/ui`);
  say(`Token of an operator:  ${tokens.operator}`);
  say('Questions come every second; a change in src/ starts siptrustd anew. Ctrl-C ends all.');
  const changed = changes();
  let told = 0;
  for (;;) {
    if (daemon.log.length > told) say(daemon.log.slice(told).trimEnd());
    told = daemon.log.length;
    const before = changed();
    if (before.length > 0) {
      await pause(QUIET_MS);
      const files = [...new Set([...before, ...changed()])];
      say(`dev: ${files.join(', ')} changed`);
      if (await compiled(files)) {
        if (files.some((name) => !name.startsWith('web/'))) {
          await daemon.stop();
          told = 0;
          await daemon.start().catch((error: unknown) => say(`dev: ${error instanceof Error ? error.message : error}`));
        }
      } else say('dev: it does not compile; what ran before goes on');
    }
    await ask().catch((error: unknown) => say(`dev: no answer: ${error instanceof Error ? error.message : error}`));
    await pause(EVERY_MS);
  }
});
