/** Holds what is about to be written against the checks of the policy, before anything is written. */

import { PolicyMemory } from '../../policy/agreement/index.js';
import { DiskFiles, filesInMemory, type PolicyFiles, type Problem, Problems } from '../../policy/reading/index.js';
import { checkPolicy } from '../../policy/snapshot/index.js';
import type { Breathe } from '../long-work/index.js';
import { Refusal } from '../terminal/index.js';
import { type Candidate, originOf, policyText, type Writing } from './candidate.js';
import type { Finding } from './report.js';

export interface Settled {
  readonly candidates: readonly Candidate[];
  readonly findings: readonly Finding[];
}

/** The policy file as it will stand beside the files that go with it. */
export interface Place {
  /** Path of the policy file. */
  readonly path: string;
  /** Files that are written with it, by path. */
  readonly files: Readonly<Record<string, string>>;
}

/** Each round leaves out at least one agreement, and mostly all that are at fault. */
const MOST_ROUNDS = 200;

/** What is wrong with the policy of a text at a place, with what else is on the disk: all of it, or each thousand is a round. */
function checkText(text: string, { path, files }: Place, now: number) {
  const memory = filesInMemory({ ...files, [path]: text });
  const disk = new DiskFiles();
  const both: PolicyFiles = {
    read: (file, most) => (file === path || Object.hasOwn(files, file) ? memory : disk).read(file, most),
    list: (directory) => disk.list(directory),
  };
  return checkPolicy(both, path, 1, now, new PolicyMemory(new Problems(Number.POSITIVE_INFINITY)));
}

/**
 * Leaves out the candidates that the checks refuse, with the words of the checks.
 * @param breathe before each round
 */
export async function settle(
  given: readonly Candidate[],
  writing: Writing,
  place: Place,
  now: number,
  breathe: Breathe,
): Promise<Settled> {
  let findings: readonly Finding[] = [];
  let candidates = given;
  for (let round = 0; round < MOST_ROUNDS; round++) {
    if (candidates.length === 0) return { candidates, findings };
    await breathe(`round ${round + 1} of the checks, ${candidates.length} agreements, ${findings.length} findings`);
    const text = policyText(candidates, writing);
    const result = checkText(text, place, now);
    const origin = originsOf(place.path, text, candidates);
    const problems = result.ok ? result.warnings : result.problems;
    if (result.ok) {
      // (Whether CRLs are fetched, the file says that this one will be included by.)
      const own = problems.filter(({ code }) => code !== 'no-status');
      return { candidates, findings: [...findings, ...told(own, candidates, 'look', origin)] };
    }
    const errors = problems.filter(({ severity }) => severity === 'error');
    const bad = new Set(errors.map(({ path }) => indexOf(path)));
    const outside = errors.find(({ path }) => indexOf(path) === undefined);
    if (outside !== undefined)
      throw new Refusal(`what would be written is no policy: ${outside.path}: ${outside.message}`, 1);
    findings = [...findings, ...told(errors, candidates, 'left out', origin)];
    candidates = candidates.filter((_, index) => !bad.has(index));
  }
  throw new Refusal(
    `expected agreements that go together, found errors after ${MOST_ROUNDS} rounds of leaving some out`,
    1,
  );
}

function indexOf(path: string): number | undefined {
  const digits = /^agreements\[([0-9]+)\]/.exec(path)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** Puts the origins of agreements in place of the lines of a text that nobody has seen. */
function originsOf(path: string, text: string, candidates: readonly Candidate[]): (message: string) => string {
  let index = -1;
  const indexes = text.split('\n').map((line) => (line.startsWith('  - name: ') ? ++index : index));
  return (message) => {
    const [head = '', ...places] = message.split(`${path}:`);
    const said = places.map((place) => {
      const [shown = '', line] = /^([0-9]+):[0-9]+/.exec(place) ?? [];
      const from = candidates[indexes[Number(line) - 1] ?? -1]?.from;
      return from === undefined ? `${path}:${place}` : originOf(from) + place.slice(shown.length);
    });
    return head + said.join('');
  };
}

function told(
  problems: readonly Problem[],
  candidates: readonly Candidate[],
  outcome: Finding['outcome'],
  origin: (message: string) => string,
): Finding[] {
  return problems.flatMap(({ path, message }) => {
    const candidate = candidates[indexOf(path) ?? -1];
    if (candidate === undefined) return [];
    const key = path.replace(/^agreements\[[0-9]+\]\.?/, '');
    const text = `${key}${key === '' ? '' : ': '}${origin(message)}`;
    return [{ from: candidate.from.join(', '), subject: candidate.name, outcome, text }];
  });
}
