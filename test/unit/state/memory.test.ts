/** What strangers can make siptrustd hold in memory by connecting with certificates of their own. */

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { DEFAULT_SETTINGS } from '../../../src/policy/settings/settings.js';
import { trustMethods } from '../../../src/rpc/methods/trust.js';
import { trustState } from '../../../src/state/trust/trust-state.js';
import { ext, leaf, NOW, root } from '../../support/certificates.js';
import { question } from '../../support/evidence.js';
import { agreementWith } from '../../support/snapshot.js';
import { policyOf } from '../../support/state.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const MEMORY = 4 * 1024 * 1024;

const rootB = root({ subject: 'O=Operator B,CN=B CA' });
const agreement = agreementWith({ anchors: { client: [rootB.facts], server: [rootB.facts] } });

function daemon() {
  const settings = { ...DEFAULT_SETTINGS, cache: { ...DEFAULT_SETTINGS.cache, memory: MEMORY } };
  const policy = policyOf([agreement], settings);
  const state = trustState({ policy, clock: () => NOW });
  const table = trustMethods(state);
  const call = (method: string, params: object): unknown =>
    table.find(({ name }) => name === method)?.call(params, { wire: 'unix', peer: 'test', role: 'script' });
  const peer = (conid: number, der: Uint8Array): unknown =>
    call('trust.peer', question(Buffer.from(der).toString('base64'), { conid, src_port: 40_000 }));
  return { state, peer, call };
}

/** Certificates that differ in the last octets of their signature: as many as a stranger likes. */
function* strangers(count: number): Generator<Uint8Array> {
  const names = Array.from({ length: 400 }, (_, at) => ({ dns: `host-${at}.stranger.example` }));
  const { der } = leaf(root(), { subject: 'CN=x', extensions: { altNames: ext.altNames(names) } });
  for (let at = 0; at < count; at++) {
    const other = Buffer.from(der);
    other.writeUInt32BE(at, other.length - 4);
    yield other;
  }
}

describe('memory', () => {
  test('ok/hundreds of strangers with long certificates stay within what the policy allows, and partners stay known', () => {
    const { state, peer, call } = daemon();
    const partner = leaf(rootB, { subject: 'CN=b', extensions: { altNames: ext.altNames([{ dns: 'b.example' }]) } });
    peer(1_000_000, partner.der);
    collect();
    const before = process.memoryUsage().heapUsed;
    let conid = 0;
    for (const der of strangers(400)) peer(conid++, der);
    collect();
    const { certificates, verdicts, connections } = state.caches.octets();
    expect(certificates + verdicts + connections).toBeLessThanOrEqual(MEMORY);
    // The accounts are about right: one such certificate takes up more than 100 KiB.
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(6 * MEMORY);
    const message = {
      direction: 'in',
      message: 'request',
      method: 'INVITE',
      headers: 'From: <sip:x@b.example>;tag=1\r\n',
    };
    expect(call('trust.message', { ...message, conid: 1_000_000 })).toMatchObject({ agreement: 'op-b', trusted: 1 });
  }, 60_000);

  test('ok/what was closed is unknown, by one list of ids', () => {
    const { peer, call } = daemon();
    let conid = 10;
    for (const der of strangers(4)) peer(conid++, der);
    expect(call('trust.closed', { conids: '10, 11,77' })).toEqual({ dropped: 2 });
    expect(call('trust.closed', { conids: [12, '12'] })).toEqual({ dropped: 1 });
    expect(call('trust.closed', { conids: 13 })).toEqual({ dropped: 1 });
    const message = {
      direction: 'in',
      message: 'request',
      method: 'INVITE',
      headers: 'From: <sip:x@b.example>;tag=1\r\n',
    };
    expect(call('trust.message', { ...message, conid: 10 })).toMatchObject({ reason: 'unknown-connection' });
    expect(() => call('trust.closed', {})).toThrow();
  });
});
