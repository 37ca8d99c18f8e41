/** Addresses and other hosts that a partner may put into its identities (P-7). */

import { describe, expect, test } from 'vitest';
import { peerAnswer } from '../../../../src/rpc/dispatch/answers.js';
import { scanHeaderBlock } from '../../../../src/sip/grammar/header-block.js';
import { leastPrivilege } from '../../../../src/trust/agreement/least-privilege.js';
import { planMessage } from '../../../../src/trust/message/message.js';
import type { Plan } from '../../../../src/trust/message/plan.js';
import { judgePeer } from '../../../../src/trust/peer/peer.js';
import { toBytes } from '../../../support/bytes.js';
import { ext, leaf, NOW, root } from '../../../support/certificates.js';
import { presenting } from '../../../support/evidence.js';
import { agreementWith, snapshotWith } from '../../../support/snapshot.js';

const ca = root({ subject: 'CN=B CA' });
const certificate = leaf(ca, { extensions: { altNames: ext.altNames([{ dns: 'b.example' }]) } }).facts;
const HOSTS = ['192.0.2.7', '[2001:db8::7]', 'sbc.b.example'];
const agreement = agreementWith({
  anchors: { client: [ca.facts], server: [ca.facts] },
  asserts: { domains: ['b.example'], hosts: HOSTS, numbers: ['+4930'], transit: false },
});
const snapshot = snapshotWith([agreement]);
const verdict = judgePeer(presenting(certificate), snapshot, NOW);

function planFor(identity: string): Plan {
  const headers = `Via: SIP/2.0/TLS b.example\r\nCSeq: 1 INVITE\r\nP-Asserted-Identity: <${identity}>\r\n`;
  const block = scanHeaderBlock(toBytes(headers));
  return planMessage({ direction: 'in', message: 'request', method: 'INVITE', block, verdict, snapshot });
}

function keeps(identity: string): boolean {
  const plan = planFor(identity);
  return plan.action === 'continue' && !plan.remove.includes('P-Asserted-Identity');
}

describe('asserts.hosts', () => {
  test.each([
    'sip:+4930123@192.0.2.7',
    'sip:+4930123@192.0.2.7:5060;user=phone',
    'sip:bob@[2001:db8::7]',
    'sip:bob@[2001:DB8:0:0::7]:5061',
    'sip:bob@SBC.b.example',
    'sip:bob@b.example',
  ])('ok/%s', (identity) => expect(keeps(identity)).toBe(true));
  test.each([
    ['another address', 'sip:+4930123@192.0.2.8'],
    ['another number at an address of the partner', 'sip:+33612345678@192.0.2.7'],
    ['another IPv6 address', 'sip:bob@[2001:db8::8]'],
    ['what only begins like an address', 'sip:bob@192.0.2.7.evil.example'],
    ['an address written in octal', 'sip:bob@192.0.2.07'],
    ['our own domain', 'sip:alice@a.example'],
  ])('fail/%s', (_, identity) => expect(keeps(identity)).toBe(false));

  test.each([
    ['sip:+4930123@192.0.2.8', '192.0.2.8 (where that is a machine of the peer: asserts.hosts)'],
    ['sip:bob@c.example', 'c.example'],
  ])('ok/what is told of %s says where an address belongs', (identity, told) => {
    const detail = `P-Asserted-Identity: expected an identity of b.example, ${HOSTS.join(', ')}, found one of ${told}`;
    expect(planFor(identity).findings).toContainEqual({ code: 'assert-foreign', detail });
  });

  test('ok/the script gets them beside the domains', () => {
    const answer = peerAnswer('1', verdict, snapshot, NOW).toJSON();
    expect(answer).toMatchObject({ asserts: ['b.example'], assert_hosts: HOSTS });
  });
  test('ok/of two agreements only what both allow', () => {
    const other = { ...agreement, name: 'op-c', asserts: { ...agreement.asserts, hosts: ['192.0.2.7', '192.0.2.9'] } };
    expect(leastPrivilege(agreement, other).asserts.hosts).toEqual(['192.0.2.7']);
  });
});

describe('asserts.numbers, wherever the number stands', () => {
  test.each([
    'sip:+4930123@anonymous.invalid;user=phone',
    'sip:anonymous@anonymous.invalid',
    'sip:unavailable@unknown.invalid',
    'tel:123;phone-context=+4930',
    'sip:123;phone-context=+4930@b.example;user=phone',
    'sip:+49-30-123@b.example',
  ])('ok/%s', (identity) => expect(keeps(identity)).toBe(true));
  test.each([
    ['of nobody', 'sip:+33612345678@anonymous.invalid;user=phone'],
    ['of nobody whose number is not known (TS 23.003 §13.7)', 'sip:+33612345678@unknown.invalid;user=phone'],
    ['of nobody, without user=phone', 'sip:33612345678@unavailable.invalid'],
    ['of nobody, local to us', 'sip:123;phone-context=a.example@anonymous.invalid;user=phone'],
    ['in a second context', 'tel:123;phone-context=+4930;phone-context=+336'],
    ['in a second context behind the host', 'sip:123;phone-context=+4930@b.example;user=phone;phone-context=+336'],
    ['with a blank in it', 'sip:+33%20612345678@b.example'],
    ['behind a NUL', 'sip:+4930%00+33612345678@b.example'],
    ['beside another', 'sip:+4930123,+33612345678@b.example'],
  ])('fail/another number %s', (_, identity) => expect(keeps(identity)).toBe(false));
  test.each([
    ['P-Asserted-Identity', 'tel:123;phone-context=b.example;phone-context=a.example'],
    ['P-Asserted-Identity', 'sip:123;phone-context=b.example@b.example;user=phone;phone-context=a.example'],
    ['From', 'tel:123;phone-context=b.example;phone-context=a.example'],
  ])('fail/our own domain in a second context of %s', (field, identity) => {
    const any = agreementWith({ ...agreement, asserts: { domains: ['b.example'], numbers: 'any', transit: false } });
    const block = scanHeaderBlock(toBytes(`Via: SIP/2.0/TLS b.example\r\n${field}: <${identity}>\r\n`));
    const input = { direction: 'in', message: 'request', method: 'INVITE', block, snapshot } as const;
    const plan = planMessage({ ...input, verdict: { ...verdict, agreement: any } });
    expect([plan.action, plan.findings[0]?.code]).toEqual(['reject', 'assert-own']);
  });
});
