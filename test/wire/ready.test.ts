/** GET /ready and GET /health: 200 while siptrustd does what it is there for, and 503 with each reason why not. */

import { afterEach, describe, expect, test } from 'vitest';
import { NO_AUDIT_LOG } from '../../src/log/audit.js';
import type { DaemonSettings } from '../../src/policy/settings/daemon-settings.js';
import { DEFAULT_SETTINGS } from '../../src/policy/settings/settings.js';
import { type Readiness, readiness, readyRoute } from '../../src/rpc/http/readiness.js';
import { openListeners } from '../../src/rpc/listeners/listeners.js';
import { type HttpListener, listenHttp } from '../../src/rpc/wire/http.js';
import { Fleet, type FleetOptions } from '../../src/state/fleet/fleet.js';
import type { Pins } from '../../src/state/pins/pins.js';
import { PolicyHolder } from '../../src/state/policy/holder.js';
import { type TrustState, trustState } from '../../src/state/trust/trust-state.js';
import { emptySnapshot } from '../support/snapshot.js';
import { http, portOf } from '../support/wires.js';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function stateWith(policy: () => boolean, pins?: Pins): TrustState {
  const off = { netstring: undefined, https: undefined, unix: undefined, viewer: undefined, fifo: undefined };
  const http = { address: '127.0.0.1', port: 0 };
  const settings: DaemonSettings = { ...DEFAULT_SETTINGS, listen: { ...DEFAULT_SETTINGS.listen, ...off, http } };
  const holder = PolicyHolder.open((revision) => {
    if (!policy()) return { ok: false, problems: ['a.yaml:1:1: error: x', 'a.yaml:2:1: error: y'] };
    return { ok: true, snapshot: { ...emptySnapshot, revision }, settings, warnings: [] };
  }, 0);
  if ('problems' in holder) throw new Error('expected a policy');
  return trustState({ policy: holder, clock: () => 0, pins });
}

async function open(state: TrustState): Promise<number> {
  const log = {
    ...{ error: () => {}, warn: () => {}, info: () => {}, debug: () => {}, setLevel: () => {} },
    ...{ level: () => 'info' as const, close: async () => {} },
  };
  const { settings } = state.policy;
  const opened = await openListeners(settings, {
    state,
    log,
    audit: NO_AUDIT_LOG,
    reload: (by) => state.changes.reload(by),
  });
  if ('failed' in opened) throw new Error(opened.failed);
  cleanups.push(() => opened.close(0));
  return portOf(opened.addresses[0] ?? '');
}

async function ready(port: number): Promise<readonly [number, readonly string[]]> {
  const { status, text } = await http(port, { path: '/ready', method: 'GET' });
  return [status, (JSON.parse(text) as Readiness).reasons];
}

/** A state file that takes nothing. */
function failing(now: () => boolean): Pins {
  const rest = { start: () => {}, revisionFloor: 0, list: () => [], sizes: () => ({ observed: 0, approved: 0 }) };
  return Object.defineProperty(rest, 'failing', { get: now }) as unknown as Pins;
}

describe('a daemon that runs', () => {
  test('fail/no policy of the fleet is in force: 503, and the status says so, too', async () => {
    const state = stateWith(() => true);
    let revision = 0;
    const follower = {
      get status() {
        return { revision, wanted: 0, problem: '', heardAt: undefined, lag: 0, nodes: undefined };
      },
    };
    state.fleet = new Fleet({
      ...{ node: 'one', follows: true, follower, store: () => ({ up: false }), withdrawn: () => [] },
    } as unknown as FleetOptions);
    const port = await open(state);
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'core.status' });
    const status = async () => (JSON.parse((await http(port, { body })).text) as { result: object }).result;
    expect(await ready(port)).toEqual([503, ['no policy of the fleet is in force: nobody is trusted']]);
    expect(await status()).toMatchObject({ status: 'no-policy' });
    revision = 1;
    expect(await ready(port)).toEqual([200, []]);
    expect(await status()).toMatchObject({ status: 'ok' });
  });

  test('ok/a policy file that is no good: 503 until it is good; the daemon is alive', async () => {
    let good = true;
    const state = stateWith(() => good);
    const port = await open(state);
    expect(await ready(port)).toEqual([200, []]);
    good = false;
    await state.changes.reload();
    const why = 'the policy file is not good and the last good policy is in force: 2 problems';
    expect(await ready(port)).toEqual([503, [why]]);
    expect((await http(port, { path: '/health', method: 'GET' })).status).toBe(200);
    good = true;
    await state.changes.reload();
    expect(await ready(port)).toEqual([200, []]);
  });
  test('ok/a state file that cannot be written: 503 until it can', async () => {
    let full = true;
    const port = await open(
      stateWith(
        () => true,
        failing(() => full),
      ),
    );
    expect(await ready(port)).toEqual([503, ['the state file cannot be written']]);
    full = false;
    expect(await ready(port)).toEqual([200, []]);
  });
});

describe('what the rest of the daemon says', () => {
  async function serve(found: () => Readiness): Promise<HttpListener> {
    const callerOf = () => ({ role: 'script' as const });
    const dispatch = () => undefined;
    const listener = await listenHttp({ dispatch, port: 0, callerOf, routes: [readyRoute(found)] });
    cleanups.push(() => listener.close(0));
    return listener;
  }

  test('ok/before all listeners are open, when one is lost, and while it stops', async () => {
    const state = stateWith(() => true);
    let [problem, stopping, all]: [string | undefined, boolean, boolean] = [undefined, false, false];
    const fifo = { address: '/run/x.fifo', problem: () => problem, close: async () => {} };
    const listener = await serve(() => readiness(state, all ? [fifo] : [], stopping));
    const port = portOf(listener.address);
    expect(await ready(port)).toEqual([503, ['not all listeners are open yet']]);
    all = true;
    expect(await ready(port)).toEqual([200, []]);
    problem = 'it is gone';
    expect(await ready(port)).toEqual([503, ['listener /run/x.fifo: it is gone']]);
    problem = undefined;
    stopping = true;
    expect(await ready(port)).toEqual([503, ['siptrustd is stopping']]);
  });
});
