/** The unit of systemd: what it leaves siptrustd to do. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

test('ok/a socket may be given to a group, a promoted policy to its owner: nothing is taken away behind the line that allows chown()', () => {
  const unit = readFileSync(join(import.meta.dirname, '../../../plugin/systemd/siptrustd.service'), 'utf8');
  // systemd.exec(5): each line adds to the list, or with ~ takes away.
  const words = [...unit.matchAll(/^SystemCallFilter=(.+)$/gm)].map(([, set]) => set);
  const last = words.lastIndexOf('@chown');
  expect(last).toBeGreaterThan(0);
  expect(words.slice(last).filter((set) => set?.startsWith('~'))).toEqual([]);
});
