/** What somebody has to read who wants to know what the plugin of Kamailio does: all of its lines but the generated ones. */

import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { KAMAILIO_FILES } from '../../../../src/sip/kamailio/headers.js';

const PLUGIN = new URL('../../../../plugin/kamailio/', import.meta.url);
/** Falls with the plugin; never raised without a reason in the commit. */
const MOST_LINES = 1791;

test(`ok/the Kamailio plugin has at most ${MOST_LINES} lines`, () => {
  const written = readdirSync(PLUGIN).filter((name) => !KAMAILIO_FILES.has(name));
  const lines = written.map((name) => readFileSync(new URL(name, PLUGIN), 'utf8').split('\n').length - 1);
  expect(lines.reduce((sum, each) => sum + each, 0)).toBeLessThanOrEqual(MOST_LINES);
});
