import { type Agreement, type Snapshot, targetKey } from '../../src/trust/agreement/agreement.js';
import type { Evidence } from '../../src/trust/evidence/evidence.js';

/** A policy without agreements. */
export const emptySnapshot: Snapshot = {
  revision: 1,
  ownDomains: new Set(['a.example']),
  ownCertificates: [],
  interfaces: [],
  agreements: [],
  byDomain: new Map(),
  byWildcard: new Map(),
  byTarget: new Map(),
  sources: new Map(),
  privacy: 'strict33203',
  skew: 300_000,
  crlGrace: 0,
  ocsp: { maxAge: 86_400_000, nonceRequired: false },
  verdictTtl: 300,
};

const plainAgreement: Agreement = {
  name: 'op-b',
  domains: ['b.example'],
  serverNames: [],
  wildcardNames: [],
  mechanism: 'tls',
  anchors: { client: [], server: [] },
  intermediates: [],
  subject: {},
  issuer: {},
  attributeIssuers: [],
  interconnect: 'non-roaming',
  directions: ['in', 'out'],
  valid: { from: Number.NEGATIVE_INFINITY, until: Number.POSITIVE_INFINITY },
  asserts: { domains: ['b.example'], numbers: 'any', transit: false },
  privacy: 'strict33203',
  revocation: 'off',
  crls: [],
  eku: 'tls',
  stackVerification: 'required',
  cnFallback: false,
  pins: [],
  pinned: false,
  pinLeaf: false,
  headers: new Map(),
  enforcement: 'enforce',
  enabled: true,
  requireTls: false,
  targets: [],
  allowTlsFallback: false,
  interface: undefined,
  sources: [],
  migrationUntil: undefined,
};

/** An agreement with op-b on b.example; `over` replaces what a test is about. */
export function agreementWith(over: Partial<Agreement> = {}): Agreement {
  return { ...plainAgreement, ...over };
}

/** A policy with these agreements. */
export function snapshotWith(agreements: readonly Agreement[], over: Partial<Snapshot> = {}): Snapshot {
  const byDomain = new Map(agreements.flatMap((each) => each.domains.map((domain) => [domain, each] as const)));
  const byTarget = new Map(agreements.flatMap((each) => each.targets.map((at) => [targetKey(at), each] as const)));
  const byWildcard = new Map(agreements.flatMap((each) => each.wildcardNames.map((suffix) => [suffix, each] as const)));
  return { ...emptySnapshot, agreements, byDomain, byWildcard, byTarget, ...over };
}

/** Evidence of a TLS connection without a certificate; `over` replaces what a test is about. */
export function evidenceWith(over: Partial<Evidence> = {}): Evidence {
  return {
    direction: 'in',
    transport: 'tls',
    connectionId: '7',
    sourceAddress: '192.0.2.1',
    sourcePort: 40_000,
    localAddress: '198.51.100.1',
    localPort: 5061,
    tls: {
      certificate: undefined,
      verified: false,
      version: 'TLSv1.3',
      cipher: 'TLS_AES_256_GCM_SHA384',
      sni: undefined,
      attributes: undefined,
    },
    nextHop: undefined,
    ...over,
  };
}
