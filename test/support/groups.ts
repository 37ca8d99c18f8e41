/** The groups of the plugin, matched as Kamailio's module regex matches them: Perl-compatible expressions, by perl. */

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface GroupMatcher {
  /** For each message (latin1): does this group match it? */
  matches(group: number, messages: readonly string[]): readonly boolean[];
  /** Seconds of processor time that each takes, tried again where that is more than `most`; of more than a minute, an error. */
  costs(group: number, messages: readonly string[], most?: number): readonly number[];
  close(): void;
}

/** undefined: there is no perl. `text`: what stands in siptrust-groups.txt. */
export function groupMatcher(text: string): GroupMatcher | undefined {
  if (spawnSync('perl', ['-e', '1']).status !== 0) return undefined;
  const directory = mkdtempSync(join(tmpdir(), 'siptrust-groups-'));
  const file = join(directory, 'groups.txt');
  writeFileSync(file, text, 'latin1');
  const lines = (group: number, messages: readonly string[], ...flags: readonly string[]): readonly string[] => {
    const input = messages.map((message) => `${group} ${Buffer.from(message, 'latin1').toString('hex')}\n`).join('');
    const program = join(import.meta.dirname, 'groups-match.pl');
    const options = { input, encoding: 'latin1', maxBuffer: 1 << 26, timeout: 60_000 } as const;
    return execFileSync('perl', [program, file, ...flags], options)
      .split('\n')
      .slice(0, -1);
  };
  return {
    matches: (group, messages) => lines(group, messages).map((answer) => answer === '1'),
    costs: (group, messages, most = 0) => lines(group, messages, String(most)).map(Number),
    close: () => rmSync(directory, { recursive: true, force: true }),
  };
}
