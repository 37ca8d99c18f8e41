/**
 * Certificates as real handshakes carry them: whose word counts, and why (rulebook §10.2). Wherever an operator looks, the story
 * is one: the line of the decision log, `explain`, the series of metrics, and for an alarm the operator log.
 */

import { createHash, X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ReasonCode, reason } from '../../src/reasons.js';
import { freshCallId, request } from '../support/live/caller.js';
import type { Decision, Policy } from '../support/live/daemon.js';
import { builds } from '../support/live/kamailio.js';
import { Network } from '../support/live/network.js';
import type { Authority, CertificateTerms, Identity } from '../support/live/pki.js';
import { eventually } from '../support/live/places.js';
import { expectRelayed } from '../support/live/relayed.js';
import { statusOf } from '../support/live/sip-text.js';
import { rawSubjectAltName } from '../support/openssl-certificate.js';

/** Authorities and identities besides the standard cast, and the agreements that name them. */
interface Stage {
  readonly network: Network;
  /** Below operator A, for names in a.example alone: the partner's agreement hands it to siptrust. */
  readonly constrained: Authority;
  /** A root that allows no CA below it, and one below it all the same. */
  readonly short: Authority;
  readonly tooDeep: Authority;
  /** Below operator A: they ask for a policy, and have a list that is out of its scope. */
  readonly policyCa: Authority;
  readonly other: Authority;
  /** What partner A presents as an authority, but is none. */
  readonly noCa: Authority;
  /** Self-signed, for s.example; the policy pins its key. */
  readonly pinned: Identity;
}

interface Case {
  readonly id: string;
  readonly what: string;
  readonly terms: (stage: Stage) => Partial<CertificateTerms> | Identity;
  /** Must be among the reasons. */
  readonly reason: string;
  /** undefined: not trusted. */
  readonly agreement?: string;
  /** The stack of the proxy refuses it. */
  readonly unverified?: boolean;
}

const SIP_DOMAIN = '1.3.6.1.5.5.7.3.20';
const RSA_1024 = ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:1024'];
const KEYS = {
  'P-384': ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-384'],
  ED25519: ['-algorithm', 'ED25519'],
  'RSA-PSS': ['-algorithm', 'RSA-PSS', '-pkeyopt', 'rsa_keygen_bits:2048'],
} as const;
const dns = (text: string) => rawSubjectAltName([[2, Buffer.from(text, 'latin1')]]);

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
    terms: ({ network }) => ({ issuer: network.cast.operatorB }),
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
    unverified: true,
  },
  {
    id: 'T-17',
    what: 'a self-signed certificate whose key is pinned, where siptrust alone decides',
    terms: ({ pinned }) => pinned,
    reason: 'agreement-covers',
    agreement: 'op-s',
    unverified: true,
  },
  {
    id: 'T-17',
    what: 'another key under the name of the pinned one',
    terms: () => ({ issuer: undefined, names: ['DNS:s.example'] }),
    reason: 'pin-mismatch',
    unverified: true,
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
  {
    id: 'T-27',
    what: 'a user in a sip: URI: the URI does not count, the DNS name does',
    terms: () => ({ names: ['URI:sip:alice@a.example', 'DNS:a.example'] }),
    reason: 'agreement-covers',
    agreement: 'op-a',
  },
  { id: 'T-28', what: 'a sips: URI alone', terms: () => ({ names: ['URI:sips:a.example'] }), reason: 'no-sip-id' },
  {
    id: 'T-29',
    what: 'case, port and parameters of a sip: URI do not count',
    terms: () => ({ names: ['URI:SIP:A.EXAMPLE:5061;transport=tls'] }),
    reason: 'agreement-covers',
    agreement: 'op-a',
  },
  {
    id: 'T-30',
    what: 'a subjectAltName without a usable name: the common name does not count',
    terms: ({ network }) => ({
      ...{ issuer: network.cast.operatorB, names: ['email:sip@d.example'], commonName: 'd.example' },
    }),
    reason: 'no-sip-id',
  },
  {
    id: 'T-31',
    what: 'a common name alone, where the agreement does not accept that',
    terms: () => ({ names: [], commonName: 'a.example' }),
    reason: 'cn-disabled',
  },
  {
    id: 'T-31',
    what: 'a common name alone, where the agreement accepts it',
    terms: ({ network }) => ({ issuer: network.cast.operatorB, names: [], commonName: 'd.example' }),
    reason: 'agreement-covers',
    agreement: 'op-d',
  },
  {
    id: 'T-36',
    what: 'the address of the peer as iPAddress name',
    terms: ({ network }) => ({ names: [`IP:${network.host(20)}`] }),
    reason: 'no-sip-id',
  },
  {
    id: 'T-32',
    what: 'a NUL after a listed name',
    terms: () => ({ extensions: [dns('a.example\0.evil.example')] }),
    reason: 'name-bytes',
  },
  { id: 'T-32', what: 'a line end', terms: () => ({ extensions: [dns('a.example\n')] }), reason: 'name-bytes' },
  {
    id: 'T-33',
    what: 'one name that reads like two',
    terms: () => ({ extensions: [dns('x.example, DNS:a.example')] }),
    reason: 'name-bytes',
  },
  {
    id: 'T-34',
    what: 'two common names, the second listed',
    terms: ({ network }) => ({
      ...{ issuer: network.cast.operatorB, names: [], subject: '/O=Operator B/CN=c.example/CN=d.example' },
    }),
    reason: 'cn-ambiguous',
  },
  {
    id: 'T-35',
    what: 'the A-label of a name that the policy writes in Unicode',
    terms: () => ({ names: ['DNS:xn--bcher-kva.example'] }),
    reason: 'agreement-covers',
    agreement: 'op-u',
  },
  {
    id: 'T-35',
    what: 'a Cyrillic letter that looks like the listed one',
    terms: () => ({ names: ['DNS:xn--80a.example'] }),
    reason: 'not-listed',
  },
  {
    id: 'T-38',
    what: 'an authority for DNS names in a.example vouches for a sip: URI of another partner',
    terms: ({ network, constrained }) =>
      network.pki.chained(network.certificateOfA({ issuer: constrained, names: ['URI:sip:b.example'] }), [constrained]),
    reason: 'anchor-name',
  },
  {
    id: 'T-38',
    what: 'the same authority vouches for what is its own',
    terms: ({ network, constrained }) =>
      network.pki.chained(network.certificateOfA({ issuer: constrained }), [constrained]),
    reason: 'agreement-covers',
    agreement: 'op-a',
  },
  {
    id: 'T-39',
    what: 'a client whose certificate is for servers only',
    terms: () => ({ extendedKeyUsage: 'serverAuth' }),
    reason: 'eku',
    unverified: true,
  },
  {
    id: 'T-39',
    what: 'the same, where the agreement takes any TLS role and siptrust alone decides',
    terms: () => ({ extendedKeyUsage: 'serverAuth', names: ['DNS:r.example'] }),
    reason: 'agreement-covers',
    agreement: 'op-r',
    unverified: true,
  },
  {
    id: 'T-39',
    what: 'anyExtendedKeyUsage alone, which OpenSSL takes for no purpose',
    terms: () => ({ extendedKeyUsage: 'anyExtendedKeyUsage' }),
    reason: 'stack-unverified',
    unverified: true,
  },
  {
    id: 'T-40',
    what: 'a certificate for SIP domains only',
    terms: () => ({ extendedKeyUsage: SIP_DOMAIN }),
    reason: 'eku',
    unverified: true,
  },
  {
    id: 'T-40',
    what: 'the same, where the agreement goes by RFC 5924 and siptrust alone decides',
    terms: () => ({ extendedKeyUsage: SIP_DOMAIN, names: ['DNS:e.example'] }),
    reason: 'agreement-covers',
    agreement: 'op-e',
    unverified: true,
  },
  {
    id: 'T-40',
    what: 'the same, where the agreement takes either but the stack has to agree',
    terms: () => ({ extendedKeyUsage: SIP_DOMAIN, names: ['DNS:f.example'] }),
    reason: 'stack-unverified',
    unverified: true,
  },
  {
    id: 'T-40',
    what: 'a certificate for TLS roles only, where the agreement goes by RFC 5924',
    terms: () => ({ names: ['DNS:e.example'] }),
    reason: 'eku',
  },
  {
    id: 'T-41',
    what: 'a CA at the end of a path',
    terms: () => ({ extensions: ['basicConstraints=critical,CA:TRUE'] }),
    reason: 'cert-type',
  },
  {
    id: 'T-41',
    what: 'the certificate of a security gateway',
    terms: () => ({ extendedKeyUsage: 'ipsecIKE' }),
    reason: 'cert-type',
    unverified: true,
  },
  {
    id: 'T-41',
    what: 'a STIR certificate',
    terms: () => ({ extensions: ['1.3.6.1.5.5.7.1.26=DER:300aa008160631323334ffff'] }),
    reason: 'cert-type',
  },
  {
    id: 'T-42',
    what: 'a path that is longer than its anchor allows',
    terms: ({ network, tooDeep }) =>
      network.pki.chained(network.certificateOfA({ issuer: tooDeep, names: ['DNS:p.example'] }), [tooDeep]),
    reason: 'path-length',
    unverified: true,
  },
  {
    id: 'T-42',
    what: 'an issuer that is no authority',
    terms: ({ network, noCa }) =>
      network.pki.chained(network.certificateOfA({ issuer: noCa, names: ['DNS:q.example'] }), [noCa]),
    reason: 'not-a-ca',
    unverified: true,
  },
  { id: 'T-43', what: 'an RSA key of 1024 bits', terms: () => ({ algorithm: RSA_1024 }), reason: 'weak-key' },
  {
    id: 'T-43',
    what: 'the same, where siptrust alone decides',
    terms: () => ({ algorithm: RSA_1024, names: ['DNS:r.example'] }),
    reason: 'weak-key',
  },
  ...(['P-384', 'ED25519', 'RSA-PSS'] as const).map((kind) => ({
    ...{ id: 'T-43', what: `a key of ${kind}`, reason: 'agreement-covers', agreement: 'op-a' },
    terms: () => ({ algorithm: KEYS[kind] }),
  })),
  { id: 'T-43', what: 'a signature with SHA-1', terms: () => ({ digest: 'sha1' }), reason: 'weak-key' },
  {
    id: 'TS 33.310',
    what: 'a key that may encipher keys alone',
    terms: () => ({ extensions: ['keyUsage=critical,keyEncipherment'] }),
    reason: 'key-usage',
    unverified: true,
  },
  {
    id: 'RFC 5280',
    what: 'a name outside of what its CA may vouch for',
    terms: ({ constrained }) => ({ issuer: constrained, names: ['DNS:u.example'] }),
    reason: 'name-constraints',
    unverified: true,
  },
  {
    id: 'RFC 5280',
    what: 'no policy, below a CA that asks for one',
    terms: ({ network, policyCa }) => network.pki.chained(network.certificateOfA({ issuer: policyCa }), [policyCa]),
    reason: 'certificate-policy',
  },
  {
    id: 'RFC 5280',
    what: 'a critical extension that nobody knows',
    terms: () => ({ extensions: ['1.2.3.4=critical,DER:0500'] }),
    reason: 'unknown-critical',
    unverified: true,
  },
  {
    id: 'RFC 5280',
    what: 'a field that cannot be read',
    terms: () => ({ extensions: ['authorityInfoAccess=DER:3000'] }),
    reason: 'malformed-cert',
  },
  {
    id: 'P-1',
    what: 'a CA that nobody has named, and a chain that the proxy has not',
    terms: ({ other }) => ({ issuer: other }),
    reason: 'missing-intermediate',
    unverified: true,
  },
  {
    id: 'RFC 5280',
    what: 'a path to no anchor, without a name of another CA',
    terms: () => ({ issuer: undefined, names: ['DNS:u.example'] }),
    reason: 'untrusted-chain',
    unverified: true,
  },
  {
    id: 'RFC 5922',
    what: 'a dot behind the name',
    terms: () => ({ names: ['DNS:a.example.'] }),
    reason: 'name-form',
  },
  { id: 'K-1', what: 'no list at hand', terms: () => ({ names: ['DNS:h.example'] }), reason: 'rev-unknown' },
  {
    id: 'K-2',
    what: 'a list of CAs alone',
    terms: () => ({ names: ['DNS:i.example'] }),
    reason: 'crl-scope',
  },
  { id: '§5.4', what: 'switched off', terms: () => ({ names: ['DNS:j.example'] }), reason: 'agreement-disabled' },
  { id: '§5.4', what: 'an agreement of old', terms: () => ({ names: ['DNS:k.example'] }), reason: 'agreement-time' },
  {
    id: 'RFC 3324',
    what: 'an agreement for calls to it',
    terms: () => ({ names: ['DNS:l.example'] }),
    reason: 'agreement-direction',
  },
  {
    id: '§6.5',
    what: 'another organisation',
    terms: () => ({ names: ['DNS:m.example'] }),
    reason: 'agreement-attributes',
  },
  { id: 'D', what: 'a partner on trial', terms: () => ({ names: ['DNS:n.example'] }), reason: 'monitor-only' },
  {
    id: 'T-44',
    what: 'names of two partners, both of whom hold',
    terms: () => ({ names: ['DNS:a.example', 'DNS:u.example'] }),
    reason: 'ambiguous-peer',
    agreement: 'op-a+op-u',
  },
  {
    id: 'T-44',
    what: 'names of two partners, one of whom does not hold',
    terms: () => ({ names: ['DNS:a.example', 'DNS:b.example'] }),
    reason: 'ambiguous-peer',
  },
];

describe.each(builds('full'))('certificates, Kamailio $version', (build) => {
  let stage: Stage;

  beforeAll(async () => {
    const network = await Network.start({ build });
    stage = stageOf(network);
    await network.daemon.reload(policyOf(stage));
  });
  afterAll(() => stage?.network.stop());

  it.each(CASES)('$id $what: $reason', async ({ terms, reason: code, agreement, unverified }) => {
    const { network } = stage;
    const asked = terms(stage);
    const caller = await network.overTls('pem' in asked ? asked : network.certificateOfA(asked));
    const callId = freshCallId();
    const sent = request({ callId, headers: ['P-Asserted-Identity: <sip:alice@a.example>', 'Subject: hello'] });
    caller.send(sent);
    const status = statusOf(await caller.final(callId));
    const [decision] = await network.daemon.decisionsOn(caller.source);
    expect(decision?.reasons).toContain(code);
    if (unverified !== undefined) expect(decision?.verified).toBe(!unverified);
    await expectOneStory(network, decision);
    if (agreement === undefined) expect(decision?.verdict).not.toBe('trusted');
    else expect(decision).toMatchObject({ verdict: 'trusted', agreement });
    if (decision?.verdict === 'reject') {
      expect(status).toBe(403);
      expect(network.uas.find(callId, 'INVITE')).toBeUndefined();
      return;
    }
    expect(status).toBe(200);
    const stays = agreement !== undefined || code === 'monitor-only';
    const gone = stays ? [] : ['P-Asserted-Identity'];
    expectRelayed(await network.uas.received(callId, 'INVITE'), sent, gone);
  });

  it("ok/the operator hears of a partner's certificate before its calls fail", async () => {
    const { network } = stage;
    const caller = await network.overTls(network.certificateOfA({ commonName: 'ends soon', from: -30, until: 5.5 }));
    const callId = freshCallId();
    caller.send(request({ callId }));
    expect(statusOf(await caller.final(callId))).toBe(200);
    const row = { what: 'peer-certificate', agreement: 'op-a', subject: 'CN=ends soon,O=ends soon', days: 5 };
    expect(await network.daemon.call('cert.expiry', { within: 6 })).toContainEqual(
      expect.objectContaining({ ...row, state: 'ending' }),
    );
    await network.daemon.reload(policyOf(stage));
    await eventually('a line in the log', () =>
      /warn.*ends soon.*peer-certificate.*CN=ends soon/.test(network.daemon.log),
    );
  });
});

/** What the line of the decision log says, the other places say, too. */
async function expectOneStory({ daemon }: Network, decision: Decision | undefined): Promise<void> {
  const { id, verdict, reasons, details } = decision as unknown as Told;
  const { reasons: rows, checks } = (await daemon.call('trust.explain', { id })) as unknown as Explained;
  expect(rows.map(({ code }) => code)).toEqual(reasons);
  expect(rows.map(({ code, detail }) => `${code}: ${detail}`)).toEqual(details);
  for (const { code, text, clause } of rows) expect({ code, text, clause }).toEqual(rowOf(code));
  // Below the name of its check a finding does not bear that name again.
  const failed = checks
    .filter(({ outcome }) => outcome === 'fail')
    .flatMap(({ name, compared }) => [compared, `${name}: ${compared}`]);
  if (verdict !== 'trusted' && reasons[0] !== 'monitor-only') expect(failed).toContain(rows[0]?.detail);
  const metrics = await (await fetch(`http://${daemon.host}:7061/metrics`)).text();
  expect(metrics).toMatch(
    new RegExp(`siptrust_verdicts_total\\{.*direction="in",verdict="${verdict}",reason="${reasons[0]}"\\} [1-9]`),
  );
  const alarms = rows.filter(({ code }) => reason(code).severity === 'alarm').map(({ code }) => code);
  if (alarms.includes(rows[0]?.code ?? 'bad-input')) {
    expect(metrics).toMatch(new RegExp(`siptrust_alarms_total\\{.*reason="${reasons[0]}",outcome=""\\} [1-9]`));
  }
  for (const code of alarms) {
    await eventually('a line in the operator log', () => daemon.log.includes(`alarm ${code}: ${reason(code).text}`));
  }
}

const rowOf = (code: ReasonCode) => {
  const { text, clause } = reason(code);
  return { code, text, clause };
};

interface Told {
  readonly id: string;
  readonly verdict: string;
  readonly reasons: readonly string[];
  readonly details: readonly string[];
}

interface Explained {
  readonly reasons: readonly {
    readonly code: ReasonCode;
    readonly text: string;
    readonly detail: string;
    readonly clause: string;
  }[];
  readonly checks: readonly { readonly name: string; readonly compared: string; readonly outcome: string }[];
}

function stageOf(network: Network): Stage {
  const { pki, cast } = network;
  const constrained = pki.authority('Operator A for a.example', {
    issuer: cast.operatorA,
    extensions: ['nameConstraints=critical,permitted;DNS:a.example'],
  });
  const short = pki.authority('Operator P', { extensions: ['basicConstraints=critical,CA:TRUE,pathlen:0'] });
  const tooDeep = pki.authority('Operator P below', { issuer: short });
  const policyCa = pki.authority('Operator A with a policy', {
    issuer: cast.operatorA,
    extensions: ['certificatePolicies=1.2.3.4', 'policyConstraints=critical,requireExplicitPolicy:0'],
  });
  const other = pki.authority('Operator A, not named', { issuer: cast.operatorA });
  const noCa = pki.authority('sbc.a.example', {
    issuer: cast.operatorA,
    extensions: ['basicConstraints=critical,CA:FALSE', 'keyUsage=critical,digitalSignature'],
  });
  const pinned = pki.certificate({ issuer: undefined, names: ['DNS:s.example'], commonName: 's.example' });
  return { network, constrained, short, tooDeep, policyCa, other, noCa, pinned };
}

/** The standard policy, and an agreement for each way of taking certificates that cases are about. */
function policyOf({ network, constrained, short, tooDeep, noCa, pinned }: Stage): Policy {
  const { cast, pki, standardPolicy } = network;
  const [{ certificate: a }, { certificate: b }] = [cast.operatorA, cast.operatorB];
  const [opA, ...others] = standardPolicy.agreements;
  const agreement = (letter: string, more: object) => ({
    ...{ name: `op-${letter}`, domains: [`${letter}.example`], mechanism: 'tls', anchors: [a], revocation: 'off' },
    ...{ asserts: { domains: ['a.example'] }, ...more },
  });
  const advisory = { stack_verification: 'advisory' };
  return {
    ...standardPolicy,
    agreements: [
      { ...opA, intermediates: [constrained.certificate] },
      ...others,
      agreement('d', { anchors: [b], cn_fallback: true }),
      agreement('e', { eku: 'rfc5924', ...advisory }),
      agreement('f', { eku: 'either' }),
      agreement('h', { revocation: 'hard' }),
      agreement('i', { revocation: 'hard', crls: [pki.list(cast.operatorA, [], { scope: ['onlyCA=TRUE'] })] }),
      agreement('j', { enabled: false }),
      agreement('k', { valid: { from: '2020-01-01', until: '2020-12-31' } }),
      agreement('l', { directions: ['out'] }),
      agreement('m', { subject: { organization: 'Operator M' } }),
      agreement('n', { enforcement: 'monitor' }),
      agreement('p', { anchors: [short.certificate], intermediates: [tooDeep.certificate] }),
      agreement('q', { intermediates: [noCa.certificate] }),
      agreement('r', { eku: 'any-role', ...advisory }),
      agreement('s', { anchors: undefined, pins: [pinOf(pinned)], pin: 'leaf', ...advisory }),
      agreement('u', { domains: ['bücher.example', 'u.example'], intermediates: [constrained.certificate] }),
    ],
  };
}

function pinOf({ pem }: Identity): string {
  const spki = new X509Certificate(pem).publicKey.export({ type: 'spki', format: 'der' });
  return `sha256/${createHash('sha256').update(spki).digest('base64')}`;
}
