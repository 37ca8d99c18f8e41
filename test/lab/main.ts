/** `make lab`: plays all scenes, and prints what came of each beside the claim that it is about. Exit code 1: not as it must be. */

import type { Progress } from '../../src/ctl/long-work/index.js';
import { longWork } from '../support/live/long-work.js';
import { Lab } from './lab.js';
import { type Call, type Scene, type Seen, wrong } from './scene.js';
import { SCENES } from './scenes.js';

const say = (text = ''): void => void process.stdout.write(`${text}\n`);

function verdictText({ verdict, assurance }: Seen, { must }: Call): string {
  if (verdict === 'not judged' || verdict === '-') return verdict;
  return `${verdict}${assurance === 'none' ? '' : `, ${assurance}`} (${must.reason})`;
}

function line(mark: string, cells: readonly string[]): string {
  const [who = '', verdict = '', arrives = ''] = cells;
  return `   ${mark} ${who.padEnd(40)} | ${verdict.padEnd(46)} | ${arrives}`;
}

/** Plays one scene and prints it; gives what is not as it must be. */
async function play(lab: Lab, scene: Scene, progress: Progress): Promise<readonly string[]> {
  const faults: string[] = [];
  await lab.begin(scene);
  progress.clear();
  say(`\n${scene.name}\n   claim: ${scene.claim}`);
  for (const call of scene.calls) {
    const seen = await lab.call(call);
    const fault = wrong(call, seen);
    say(line(fault === undefined ? ' ' : '!', [call.who, verdictText(seen, call), seen.arrives]));
    if (fault !== undefined) faults.push(`${call.who}: ${fault}`);
  }
  for (const { what, show } of scene.proofs ?? []) {
    const { found, holds } = await show(lab, scene);
    say(
      line(holds ? ' ' : '!', [what, found, ''])
        .trimEnd()
        .replace(/ \|$/, ''),
    );
    if (!holds) faults.push(`${what}: ${found}`);
  }
  say(`   => ${faults.length === 0 ? scene.holds : 'NOT AS EXPECTED'}`);
  return faults.map((fault) => `${scene.name}: ${fault}`);
}

/** Text in lines of this width, at blanks. */
function wrapped(text: string, width: number): readonly string[] {
  return text.split(' ').reduce<string[]>((lines, word) => {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
    return lines;
  }, []);
}

const WIDTHS = [34, 52, 52];

function row(cells: readonly string[]): string {
  const columns = cells.map((cell, column) => wrapped(cell, WIDTHS[column] ?? 0));
  const height = Math.max(...columns.map((lines) => lines.length));
  const lines = Array.from({ length: height }, (_, index) =>
    columns.map((column, at) => (column[index] ?? '').padEnd(WIDTHS[at] ?? 0)).join(' | '),
  );
  return lines.map((each) => each.trimEnd()).join('\n');
}

async function story(progress: Progress): Promise<number> {
  progress.at(0, 'the networks are made');
  const lab = await Lab.start();
  const faults: string[] = [];
  const rows = [row(['scene', 'the claim', 'what came of it'])];
  for (const [index, scene] of SCENES.entries()) {
    progress.clear();
    progress.at(index, `scene ${index + 1} of ${SCENES.length}, ${scene.name}`);
    const found = await play(lab, scene, progress).catch((error: unknown) => {
      say(`   => FAILED: ${error}`);
      return [`${scene.name}: ${error}`];
    });
    faults.push(...found);
    rows.push(row([scene.name, scene.claim, found.length === 0 ? scene.holds : 'NOT AS EXPECTED']));
  }
  await lab.stop();
  const rule = WIDTHS.map((width) => '-'.repeat(width)).join('-|-');
  say(`\n${rows.join(`\n${rule}\n`)}`);
  for (const fault of faults) say(`\nNOT AS EXPECTED: ${fault}`);
  say(faults.length === 0 ? `\nAll ${SCENES.length} scenes are as they must be.` : `\n${faults.length} faults.`);
  return faults.length === 0 ? 0 : 1;
}

say(
  'Networks in namespaces, IKEv2 and ESP by strongSwan, real Kamailios, sipp, siptrustd. Who called, the verdict and',
);
say('what it rests on, and the P-Asserted-Identity that arrived:');
await longWork('lab', SCENES.length, story);
