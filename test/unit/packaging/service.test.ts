/** The unit of systemd: what it leaves siptrustd to do. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

test('ok/a socket may be given to a group, a promoted policy to its owner: the last word on chown() allows it', () => {
  const unit = readFileSync(join(import.meta.dirname, '../../../plugin/systemd/siptrustd.service'), 'utf8');
  // systemd.exec(5): each line adds to the list, or with ~ takes away. Each of these sets holds @chown.
  const words = [...unit.matchAll(/^SystemCallFilter=(.+)$/gm)].map(([, set]) => set);
  expect(words.filter((set) => /@(?:system-service|privileged|chown)\b/.test(set ?? '')).at(-1)).toBe('@chown');
});
