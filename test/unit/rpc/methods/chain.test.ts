/** `tls.chain` as a script gives it: in both questions, in `trust.explain`, and never by what was asked before. */

import { beforeEach, describe, expect, test } from 'vitest';
import { trustMethods } from '../../../../src/rpc/methods/trust.js';
import { trustState } from '../../../../src/state/trust/trust-state.js';
import { ca, ext, leaf, NOW, root } from '../../../support/certificates.js';
import { agreementWith } from '../../../support/snapshot.js';
import { asking, policyOf } from '../../../support/state.js';

const top = root({ subject: 'CN=Public Root' });
const middle = ca(top, { subject: 'CN=R11' });
const peer = leaf(middle, { subject: 'CN=b.example', extensions: { altNames: ext.altNames([{ dns: 'b.example' }]) } });

let ask: (method: string, params: unknown) => Record<string, unknown>;
beforeEach(() => {
  const agreements = [agreementWith({ anchors: { client: [top.facts], server: [top.facts] } })];
  const policy = policyOf(agreements);
  const table = trustMethods(trustState({ policy, clock: () => NOW }));
  ask = asking(table);
});

function evidence(tls: object) {
  return {
    ...{ direction: 'in', proto: 'tls', conid: '7', src_ip: '192.0.2.1', rcv_ip: '198.51.100.1', rcv_port: '5061' },
    tls: { pem: peer.pem, verified: '1', version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384', ...tls },
  };
}

const urlencoded = [peer, middle, top].map(({ pem }) => encodeURIComponent(pem)).join('');
const FORMS = {
  'a text': { chain: urlencoded },
  'a text of a peer without a root': { chain: `${encodeURIComponent(middle.pem)}<null>` },
  'base64 of a text': { chain_b64: Buffer.from(peer.pem + middle.pem).toString('base64') },
  'a list': { chain: [peer.pem, middle.pem, '<null>', null] },
};
const MISSING = { trusted: 0, reason: 'missing-intermediate' };

describe('tls.chain', () => {
  test.each(Object.entries(FORMS))('ok/trust.peer: %s', (_, tls) => {
    expect(ask('trust.peer', evidence({}))).toMatchObject(MISSING);
    expect(ask('trust.peer', evidence(tls))).toMatchObject({ trusted: 1, agreement: 'op-b' });
    expect(ask('trust.peer', evidence({}))).toMatchObject(MISSING);
    expect(ask('trust.peer', evidence({ chain: top.pem }))).toMatchObject(MISSING);
  });
  test('ok/trust.message: its own evidence', () => {
    const message = { message: 'request', method: 'INVITE', headers: 'From: <sip:b@b.example>;tag=1\r\n' };
    expect(ask('trust.message', { ...evidence(FORMS['a list']), ...message })).toMatchObject({ trusted: 1 });
    expect(ask('trust.message', { ...evidence({}), ...message })).toMatchObject(MISSING);
  });
  test('ok/trust.message: the connection that was judged with its chain', () => {
    ask('trust.peer', evidence(FORMS['a text']));
    const message = { direction: 'in', conid: '7', message: 'request', method: 'INVITE', headers: 'X: y\r\n' };
    expect(ask('trust.message', message)).toMatchObject({ trusted: 1 });
  });
  test('ok/trust.explain: what came, and what was left out', () => {
    const { checks } = ask('trust.explain', evidence({ chain: [middle.pem, 'no certificate'] }));
    const lines = (checks as { name: string; outcome: string; compared: string }[]).filter(
      ({ name }) => name === 'chain',
    );
    expect(lines.map(({ outcome }) => outcome)).toEqual(['pass', 'skip']);
    expect(lines[0]?.compared).toContain('CN=R11');
  });
  test.each([
    ['a number', 7],
    ['a list of numbers', [7]],
    ['an object', {}],
  ])('fail/%s', (_, chain) => {
    expect(() => ask('trust.peer', evidence({ chain }))).toThrow();
  });
});
