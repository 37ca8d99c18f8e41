/** The groups of the plugin by their numbers, and messages to hold them against. */

import { kamailioGroupFile } from '../../../src/sip/kamailio/groups.js';
import { PROFILES, type Profile, type ProfileName } from '../../../src/sip/table/profiles.js';
import { type Hook, hookClass, hookDirection } from '../../../src/sip/table/rules.js';
import { type Case, inputOf } from '../../unit/trust/message/message-support.js';

export const GROUPS = kamailioGroupFile();
/** Groups stand in four rows: clean in, listed in, clean out, listed out; each begins with the name of the table. */
const STARTS = GROUPS.split('\n')
  .filter((line) => line.startsWith('[') || line.startsWith('\\Aims-boundary'))
  .flatMap((line, at, all) => (line.startsWith('\\A') ? [Number(all[at - 1]?.slice(1, -1))] : []));
const ROW = (STARTS[1] ?? 0) - (STARTS[0] ?? 0);
export const WELL_FORMED = 4 * ROW;

/** Number of a profile in the script: those of strangers first. */
const ORDER: readonly Profile[] = [
  ...PROFILES.filter(({ name }) => !name.startsWith('trusted')),
  ...PROFILES.filter(({ name }) => name.startsWith('trusted')),
];

export function group(name: ProfileName, hook: Hook, kind: 'clean' | 'listed'): number {
  const number = ORDER.findIndex((profile) => profile.name === name) + 1;
  return number + (hookDirection(hook) === 'in' ? 0 : 2 * ROW) + (kind === 'clean' ? 0 : ROW);
}

export function messageOf(rows: readonly string[], hook: Hook, method: string, ruri: string, spec: Case) {
  const message = hookClass(hook);
  const input = inputOf(rows, { ...spec, direction: hookDirection(hook), message, method, status: 200, ruri });
  const head = message === 'request' ? `${method} ${ruri} SIP/2.0` : 'SIP/2.0 200 OK';
  return { input, raw: `${head}\r\n${input.block.rows.map((row) => row.raw + row.end).join('')}\r\n` };
}

export const HOOK_NAMES: readonly Hook[] = ['request-in', 'request-out', 'response-in', 'response-out'];
