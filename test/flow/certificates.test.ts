/** Certificates as real handshakes carry them: whose word counts, and why (rulebook §10.2). */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshCallId, request } from '../support/live/caller.js';
import { builds } from '../support/live/kamailio.js';
import { Network } from '../support/live/network.js';
import type { CertificateTerms } from '../support/live/pki.js';
import { expectRelayed } from '../support/live/relayed.js';
import { statusOf } from '../support/live/sip-text.js';

interface Case {
  readonly id: string;
  readonly what: string;
  readonly terms: (network: Network) => Partial<CertificateTerms>;
  /** Must be among the reasons. */
  readonly reason: string;
  /** undefined: not trusted. */
  readonly agreement?: string;
}

const CASES: readonly Case[] = [
  {
    id: 'T-11',
    what: 'a valid certificate of a network that is not listed',
    terms: () => ({ names: ['DNS:c.example'] }),
    reason: 'not-listed',
  },
  {
    id: 'T-14',
    what: 'the right name from the wrong authority',
    terms: ({ cast }) => ({ issuer: cast.operatorB }),
    reason: 'anchor-mismatch',
  },
  {
    id: 'T-15',
    what: 'the right authority and a wrong name',
    terms: () => ({ names: ['DNS:sbc.x.example'] }),
    reason: 'not-listed',
  },
  {
    id: 'T-16',
    what: 'a self-signed certificate with a listed name',
    terms: () => ({ issuer: undefined }),
    reason: 'stack-unverified',
  },
  { id: 'T-18', what: 'an expired certificate', terms: () => ({ from: -30, until: -2 }), reason: 'cert-time' },
  { id: 'T-18', what: 'a certificate of the future', terms: () => ({ from: 2, until: 30 }), reason: 'cert-time' },
  { id: 'T-24', what: 'a wildcard', terms: () => ({ names: ['DNS:*.a.example'] }), reason: 'wildcard' },
  {
    id: 'T-25',
    what: 'a name below a listed one',
    terms: () => ({ names: ['DNS:sbc.a.example'] }),
    reason: 'not-listed',
  },
  {
    id: 'T-26',
    what: 'a sip: URI makes DNS names irrelevant',
    terms: () => ({ names: ['URI:sip:c.example', 'DNS:a.example'] }),
    reason: 'not-listed',
  },
  {
    id: 'T-26',
    what: 'a sip: URI that is listed',
    terms: () => ({ names: ['URI:sip:a.example', 'DNS:other.example'] }),
    reason: 'agreement-covers',
    agreement: 'op-a',
  },
  { id: 'T-28', what: 'a sips: URI alone', terms: () => ({ names: ['URI:sips:a.example'] }), reason: 'no-sip-id' },
  {
    id: 'T-31',
    what: 'a common name alone, where the agreement does not accept that',
    terms: () => ({ names: [], commonName: 'a.example' }),
    reason: 'cn-disabled',
  },
  {
    id: 'T-31',
    what: 'a common name alone, where the agreement accepts it',
    terms: ({ cast }) => ({ issuer: cast.operatorB, names: [], commonName: 'd.example' }),
    reason: 'agreement-covers',
    agreement: 'op-d',
  },
  {
    id: 'T-36',
    what: 'the address of the peer as iPAddress name',
    terms: (network) => ({ names: [`IP:${network.host(20)}`] }),
    reason: 'no-sip-id',
  },
  {
    id: 'T-39',
    what: 'a client whose certificate is for servers only',
    terms: () => ({ extendedKeyUsage: 'serverAuth' }),
    reason: 'eku',
  },
];

describe.each(builds('full'))('certificates, Kamailio $version', (build) => {
  let network: Network;

  beforeAll(async () => {
    network = await Network.start({
      build,
      policy: (standard) => ({
        ...standard,
        agreements: [
          ...(standard.agreements as readonly unknown[]),
          {
            name: 'op-d',
            domains: ['d.example'],
            mechanism: 'tls',
            anchors: [anchorOfB(standard)],
            revocation: 'off',
            cn_fallback: true,
            asserts: { domains: ['a.example', 'd.example'] },
          },
        ],
      }),
    });
  });
  afterAll(() => network?.stop());

  it.each(CASES)('$id $what: $reason', async ({ terms, reason, agreement }) => {
    const caller = await network.overTls(network.certificateOfA(terms(network)));
    const callId = freshCallId();
    const sent = request({ callId, headers: ['P-Asserted-Identity: <sip:alice@a.example>', 'Subject: hello'] });
    caller.send(sent);
    const status = statusOf(await caller.final(callId));
    const [decision] = await network.daemon.decisionsOn(caller.source);
    expect(decision?.reasons).toContain(reason);
    if (agreement === undefined) expect(decision?.verdict).not.toBe('trusted');
    else expect(decision).toMatchObject({ verdict: 'trusted', agreement });
    if (decision?.verdict === 'reject') {
      expect(status).toBe(403);
      expect(network.uas.find(callId, 'INVITE')).toBeUndefined();
      return;
    }
    expect(status).toBe(200);
    const gone = agreement === undefined ? ['P-Asserted-Identity'] : [];
    expectRelayed(await network.uas.received(callId, 'INVITE'), sent, gone);
  });
});

/** The anchor file of operator B, out of the standard policy. */
function anchorOfB(standard: Readonly<Record<string, unknown>>): string {
  const agreements = standard.agreements as readonly { name: string; anchors: readonly string[] }[];
  return agreements.find(({ name }) => name === 'op-b')?.anchors[0] ?? '';
}
