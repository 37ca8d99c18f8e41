/** What a daemon has in its hands, without files and sockets. */

import type { DaemonSettings } from '../../src/policy/settings/daemon-settings.js';
import { DEFAULT_SETTINGS } from '../../src/policy/settings/settings.js';
import type { Method } from '../../src/rpc/dispatch/method.js';
import { JsonText } from '../../src/rpc/dispatch/method.js';
import { PolicyHolder } from '../../src/state/policy/holder.js';
import type { Agreement } from '../../src/trust/agreement/agreement.js';
import { NOW } from './certificates.js';
import { snapshotWith } from './snapshot.js';

/** As a daemon has it, with the room that a test needs: what caches take is reserved when they are made. */
export const TEST_SETTINGS: DaemonSettings = {
  ...DEFAULT_SETTINGS,
  cache: { ...DEFAULT_SETTINGS.cache, certificates: 1000, verdicts: 1000 },
};

/** A policy of these agreements, in force. */
export function policyOf(agreements: readonly Agreement[], settings: DaemonSettings = TEST_SETTINGS): PolicyHolder {
  const load = (revision: number) => ({
    ...{ ok: true as const, snapshot: snapshotWith(agreements, { revision }), settings, warnings: [] },
  });
  const policy = PolicyHolder.open(load, NOW);
  if ('problems' in policy) throw new Error('expected a policy');
  return policy;
}

/** Asks methods of a table as an operator does, by way of a unix socket. */
export function asking(table: readonly Method[]): (method: string, params: unknown) => Record<string, unknown> {
  return (method, params) => {
    const found = table.find(({ name }) => name === method);
    const answer = found?.call(params, { wire: 'unix', peer: 'test', role: 'operator' });
    return (answer instanceof JsonText ? answer.toJSON() : answer) as Record<string, unknown>;
  };
}
