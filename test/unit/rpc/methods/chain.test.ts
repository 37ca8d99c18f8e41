/** `tls.chain` as a script gives it: in both questions, in `trust.explain`, and of what was asked before only what a session that is resumed lacks. */

import { beforeEach, describe, expect, test } from 'vitest';
import { trustMethods } from '../../../../src/rpc/methods/trust.js';
import { type TrustState, trustState } from '../../../../src/state/trust/trust-state.js';
import type { Agreement } from '../../../../src/trust/agreement/index.js';
import { ca, ext, leaf, NOW, root, sharedKey } from '../../../support/certificates.js';
import { question } from '../../../support/evidence.js';
import { agreementWith } from '../../../support/snapshot.js';
import { asking, policyOf } from '../../../support/state.js';

const top = root({ subject: 'CN=Public Root' });
const middle = ca(top, { subject: 'CN=R11' });
const peer = leaf(middle, { subject: 'CN=b.example', extensions: { altNames: ext.altNames([{ dns: 'b.example' }]) } });

const lower = ca(middle, { subject: 'CN=R12' });
const deep = leaf(lower, { subject: 'CN=b.example', extensions: { altNames: ext.altNames([{ dns: 'b.example' }]) } });

const twin = leaf(lower, { subject: 'CN=b.example', extensions: { altNames: ext.altNames([{ dns: 'b.example' }]) } });

const ofPartner = agreementWith({ anchors: { client: [top.facts], server: [top.facts] } });

let state: TrustState;
let now: number;
let ask: (method: string, params: unknown) => Record<string, unknown>;
function asksUnder(agreements: readonly Agreement[]): void {
  now = NOW;
  state = trustState({ policy: policyOf(agreements), clock: () => now });
  ask = asking(trustMethods(state));
}
beforeEach(() => {
  asksUnder([ofPartner]);
});

function evidence(tls: object) {
  return question(peer.pem, { conid: '7', rcv_port: '5061' }, { verified: '1', ...tls });
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

describe('tls.links: a chain that is told link by link', () => {
  const told = (...chain: readonly { readonly pem: string }[]) =>
    evidence({ pem: deep.pem, links: '2', chain: chain.map(({ pem }) => pem) });
  const message = { message: 'request', method: 'INVITE', headers: 'From: <sip:b@b.example>;tag=1\r\n' };

  test('ok/the first is no decision where the second may change it: nothing is recorded', () => {
    expect(ask('trust.peer', told(lower))).toMatchObject({ ...MISSING, more: 1, id: '', ttl: 1 });
    expect([...state.counters.verdictCounts]).toEqual([]);
    const whole = ask('trust.peer', told(lower, middle));
    expect(whole).toMatchObject({ trusted: 1, agreement: 'op-b', id: expect.stringMatching(/./) });
    expect(whole).not.toHaveProperty('more');
    expect([...state.counters.verdictCounts]).toHaveLength(1);
  });

  test('ok/nor where it leads to the CA of another agreement, which another root has signed, too', () => {
    const other = root({ subject: 'CN=Other Root' });
    const crossed = ca(other, { subject: 'CN=R11', key: middle.key });
    const anchors = { client: [other.facts], server: [] };
    asksUnder([
      ofPartner,
      agreementWith({ name: 'op-x', domains: ['x.example'], anchors, intermediates: [crossed.facts] }),
    ]);
    expect(ask('trust.peer', told(lower))).toMatchObject({ reason: 'anchor-mismatch', more: 1, id: '' });
    expect(ask('trust.peer', told(lower, crossed))).toMatchObject({
      reason: 'anchor-mismatch',
      id: expect.stringMatching(/./),
    });
    expect(ask('trust.peer', told(lower, middle))).toMatchObject({ trusted: 1 });
    // Nothing stands above a root.
    const theirs = leaf(other, {
      subject: 'CN=b.example',
      extensions: { altNames: ext.altNames([{ dns: 'b.example' }]) },
    });
    const answer = ask('trust.peer', evidence({ pem: theirs.pem, links: '2', chain: other.pem }));
    expect(answer).toMatchObject({ reason: 'anchor-mismatch', id: expect.stringMatching(/./) });
  });

  test('ok/nor where it leads to an anchor by its name alone: a CA signs its new key with the old one (RFC 4210 §4.4)', () => {
    const renewed = ca(top, { subject: 'CN=Public Root', key: sharedKey('p256', 'renewed') });
    const below = ca(renewed, { subject: 'CN=R13' });
    const { pem } = leaf(below, {
      subject: 'CN=b.example',
      extensions: { altNames: ext.altNames([{ dns: 'b.example' }]) },
    });
    const links = (...chain: readonly { readonly pem: string }[]) =>
      evidence({ pem, links: '2', chain: chain.map((each) => each.pem) });
    expect(ask('trust.peer', links(below))).toMatchObject({ reason: 'bad-signature', more: 1, id: '' });
    expect(ask('trust.peer', links(below, renewed))).toMatchObject({ trusted: 1, agreement: 'op-b' });
  });

  test('fail/the last is a decision, and so is one where no further one is promised, or none would help', () => {
    for (const params of [
      told(lower, lower, top),
      evidence({ pem: deep.pem, chain: [lower.pem] }),
      evidence({ pem: leaf(root({ subject: 'CN=Somebody' }), { subject: 'CN=c.example' }).pem, links: '2' }),
    ]) {
      const answer = ask('trust.peer', params);
      expect(answer).toMatchObject({ trusted: 0, id: expect.stringMatching(/./) });
      expect(answer).not.toHaveProperty('more');
    }
  });

  test('fail/a session that is resumed has no chain: told so, that is a decision, and it is recorded', () => {
    const resumed = (chain: string) => evidence({ pem: deep.pem, links: '2', chain });
    expect(ask('trust.peer', resumed('<null>'))).toMatchObject({ ...MISSING, more: 1 });
    const answer = ask('trust.peer', resumed('<null>,<null>'));
    expect(answer).toMatchObject({ ...MISSING, id: expect.stringMatching(/./) });
    expect(answer).not.toHaveProperty('more');
    expect([...state.counters.verdictCounts]).toHaveLength(1);
  });

  describe('a session that is resumed, of a partner that has shown its chain before', () => {
    const resumed = (tls: object = {}) => evidence({ pem: deep.pem, links: '2', chain: '<null>', ...tls });
    beforeEach(() => {
      expect(ask('trust.peer', told(lower, middle))).toMatchObject({ trusted: 1 });
    });

    test('ok/it is judged with that chain, at once, and so are its messages, and whoever asks why', () => {
      const answer = ask('trust.peer', { ...resumed(), conid: '8' });
      expect(answer).toMatchObject({ trusted: 1, agreement: 'op-b', id: expect.stringMatching(/./) });
      expect(answer).not.toHaveProperty('more');
      expect(ask('trust.message', { ...resumed(), conid: '9', ...message })).toMatchObject({ trusted: 1 });
      const { checks } = ask('trust.explain', resumed());
      expect(checks).toContainEqual(expect.objectContaining({ name: 'chain', outcome: 'pass' }));
    });

    test.each([
      ['its stack did not verify the certificate', () => resumed({ verified: '0' })],
      ['the proxy tells no links: it may have more of the chain', () => resumed({ links: undefined })],
      ['it told another chain', () => resumed({ chain: lower.pem })],
      ['another certificate of the same CA', () => resumed({ pem: twin.pem })],
    ])('fail/%s', (_, params) => {
      expect(ask('trust.peer', params())).toMatchObject({ trusted: 0 });
    });

    test('fail/what was known is forgotten', () => {
      state.caches.flush();
      expect(ask('trust.peer', resumed())).toMatchObject(MISSING);
    });
  });

  describe('a session that is resumed, whose handshake was seen before its peer was trusted', () => {
    const resumed = evidence({ pem: deep.pem, links: '2', chain: '<null>' });

    test('ok/its agreement is only monitored: its messages pass as before', () => {
      asksUnder([agreementWith({ ...ofPartner, enforcement: 'monitor' })]);
      const before = { trusted: 0, profile: 'monitor', would: 'trusted' };
      expect(ask('trust.peer', told(lower, middle))).toMatchObject(before);
      expect(ask('trust.peer', resumed)).toMatchObject(before);
    });

    const later = agreementWith({ ...ofPartner, valid: { from: NOW + 1000, until: Number.POSITIVE_INFINITY } });
    test('ok/its agreement begins', () => {
      asksUnder([later]);
      expect(ask('trust.peer', told(lower, middle))).toMatchObject({ trusted: 0, reason: 'agreement-time' });
      // Of another connection less was told.
      expect(ask('trust.peer', told(lower))).toMatchObject({ trusted: 0, reason: 'agreement-time' });
      now += 2000;
      expect(ask('trust.peer', resumed)).toMatchObject({ trusted: 1 });
    });

    test('fail/the stack did not verify what was shown', () => {
      asksUnder([later]);
      const { tls, ...rest } = told(lower, middle);
      ask('trust.peer', { ...rest, tls: { ...tls, verified: '0' } });
      now += 2000;
      expect(ask('trust.peer', resumed)).toMatchObject(MISSING);
    });
  });

  test('ok/trust.message: what its connection was judged by counts, where it brings less', () => {
    expect(ask('trust.message', { ...told(lower), ...message })).toMatchObject(MISSING);
    ask('trust.peer', told(lower, middle));
    expect(ask('trust.message', { ...told(lower), ...message })).toMatchObject({ trusted: 1 });
  });

  test('fail/trust.message: all but the chain is what the message brings', () => {
    ask('trust.peer', told(lower, middle));
    const { tls, ...rest } = told(lower);
    const unverified = { ...rest, tls: { ...tls, verified: '0' }, ...message };
    expect(ask('trust.message', unverified)).toMatchObject({ trusted: 0 });
  });

  test('fail/trust.message: the connection of another certificate does not count', () => {
    ask('trust.peer', evidence({ chain: [middle.pem] }));
    expect(ask('trust.message', { ...told(lower), ...message })).toMatchObject(MISSING);
  });

  test.each([0, 9, 'x'])('fail/%j links', (links) => {
    expect(() => ask('trust.peer', evidence({ links }))).toThrow();
  });
});
