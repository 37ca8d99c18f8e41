/** The groups of the plugin, matched as Kamailio's module regex matches them, by the libraries that it is built with. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PROGRAM = join(import.meta.dirname, 'groups-match.py');

export interface GroupMatcher {
  /** For each message (latin1): does this group match it? An error where the libraries do not agree. */
  matches(group: number, messages: readonly string[]): readonly boolean[];
  /** Seconds of processor time that each takes in the slowest library, tried again where that is more than `most`; of more than a minute, an error. */
  costs(group: number, messages: readonly string[], most?: number): readonly number[];
  close(): void;
}

/**
 * undefined: there is no /usr/bin/python3, or none of the libraries. `text`: what stands in siptrust-groups.txt. (perl matches otherwise:
 * since 5.38 it forgets what a group held when the loop around it goes round.)
 */
export function groupMatcher(text: string): GroupMatcher | undefined {
  const directory = mkdtempSync(join(tmpdir(), 'siptrust-groups-'));
  const file = join(directory, 'groups.txt');
  writeFileSync(file, text, 'latin1');
  const close = () => rmSync(directory, { recursive: true, force: true });
  const run = (input: string, ...seconds: readonly string[]) => {
    const options = { input, encoding: 'latin1', maxBuffer: 1 << 26, timeout: 60_000 } as const;
    return spawnSync('/usr/bin/python3', [PROGRAM, file, ...seconds], options);
  };
  if (run('').status !== 0) {
    close();
    return undefined;
  }
  /** For each message the answers of the libraries. */
  const answers = (group: number, messages: readonly string[], ...seconds: readonly string[]) => {
    const input = messages.map((message) => `${group} ${Buffer.from(message, 'latin1').toString('hex')}\n`).join('');
    const { status, signal, stdout, stderr } = run(input, ...seconds);
    if (status !== 0) throw new Error(`group ${group}: ended with ${status ?? signal}: ${stderr}`);
    const lines = stdout.split('\n').slice(0, -1);
    return lines.map((line) => line.split(' ').map(Number));
  };
  return {
    matches: (group, messages) =>
      answers(group, messages).map((each, at) => {
        if (new Set(each).size > 1) throw new Error(`group ${group}: libraries do not agree on ${messages[at]}`);
        return each[0] === 1;
      }),
    costs: (group, messages, most = 0) => answers(group, messages, String(most)).map((each) => Math.max(...each)),
    close,
  };
}
