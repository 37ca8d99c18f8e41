import { describe, expect, it } from 'vitest';
import { Budget } from '../../../src/x509/certificate/budget.js';
import { MalformedCertificate, parseCertificate } from '../../../src/x509/certificate/certificate.js';
import { sameOctets } from '../../../src/x509/der/der.js';
import { sipIdentities } from '../../../src/x509/identity/identity.js';
import { verifyPath } from '../../../src/x509/path/path.js';
import { MalformedCrl, parseCrl } from '../../../src/x509/revocation/crl.js';
import { DEFAULT_OCSP_RULES, ocspStatus } from '../../../src/x509/revocation/ocsp.js';
import { MalformedOcsp, parseOcspResponse } from '../../../src/x509/revocation/ocsp-response.js';
import { ca, crl, DAY, ext, extension, leaf, NOW, root, sharedKey } from '../../support/certificates.js';
import { der } from '../../support/der.js';
import { Mutator } from '../../support/der-mutation.js';
import { ocspDer } from '../../support/ocsp.js';
import { seeded } from '../../support/random.js';

/** `SIPTRUST_FUZZ_RUNS` makes the long run of `make fuzz`; `SIPTRUST_FUZZ_SEED` another one. */
const runs = Number(process.env.SIPTRUST_FUZZ_RUNS ?? 2000);
const seed = Number(process.env.SIPTRUST_FUZZ_SEED ?? 1);

const anchor = root();
const certificates = [
  leaf(anchor, {
    extensions: {
      altNames: ext.altNames([
        { uri: 'sip:a.example' },
        { dns: 'a.example' },
        { ip: [192, 0, 2, 1] },
        { directory: 'O=A,CN=b' },
      ]),
    },
  }),
  leaf(anchor, { key: sharedKey('rsa2048') }),
  ca(anchor, {
    add: [
      ext.constraints({
        permitted: [{ dns: 'a.example' }, { directory: 'O=A' }],
        excluded: [{ email: 'b@a.example' }],
      }),
      ext.policies(['1.2.3', '2.5.29.32.0']),
      ext.policyMappings([['1.2.3', '1.2.4']]),
      ext.policyConstraints(1, 2),
      ext.inhibitAnyPolicy(0),
      ext.crlPoints([
        { names: [{ uri: 'http://a.example/' }], reasons: ['keyCompromise'], crlIssuer: 'CN=lists' },
        { relative: 'CN=1' },
      ]),
      ext.authorityInfo(),
    ],
  }),
  anchor,
];
const lists = [
  crl(anchor, {
    revoked: [1, 2, 3].map((n) => ({ serial: Uint8Array.of(n), reason: n })),
    base: 3,
    scope: { names: [{ uri: 'http://a.example/' }], users: true },
  }),
  crl(anchor, {
    revoked: [{ serial: Uint8Array.of(1), issuer: 'CN=else' }],
    scope: { indirect: true, reasons: ['keyCompromise'] },
  }),
];

const readLists = lists.map(({ facts }) => facts);

const peer = leaf(anchor);
const responder = leaf(anchor, {
  extensions: { purposes: ext.purposes(['1.3.6.1.5.5.7.3.9']) },
  add: [extension('1.3.6.1.5.5.7.48.1.5', der.null())],
});
const responses = [
  ocspDer([{ certificate: peer, issuer: anchor }], { signer: anchor }),
  ocspDer([{ certificate: peer, issuer: anchor, hash: 'sha256' }], {
    signer: responder,
    byKey: true,
    certificates: [responder],
    nonce: Uint8Array.of(1, 2, 3),
  }),
  ocspDer(
    [
      { certificate: responder, issuer: anchor },
      { certificate: peer, issuer: anchor, status: { revoked: NOW - DAY, reason: 1 } },
    ],
    { signer: responder, certificates: [responder, peer] },
  ),
];
const signedData = responses.map((bytes) => parseOcspResponse(bytes).tbs);

/** Longest time (ms) one input may take; the bounded run beside other tests does not look at the clock. */
const SLOWEST = process.env.SIPTRUST_FUZZ_RUNS === undefined ? Number.POSITIVE_INFINITY : 50;
/** A garbage collection or another process may cost one input its time, not the same input again and again. */
const ATTEMPTS = 5;

function timed<T>(work: () => T): { readonly value: T; readonly ms: number } {
  const started = performance.now();
  const value = work();
  return { value, ms: performance.now() - started };
}

function withinTime<T>(work: () => T): T {
  for (let attempt = 1; ; attempt++) {
    const { value, ms } = timed(work);
    if (ms <= SLOWEST) return value;
    expect(attempt, `${ms} ms`).toBeLessThan(ATTEMPTS);
  }
}

function read<T>(parse: () => T, malformed: new (...args: never[]) => Error): T | undefined {
  try {
    return parse();
  } catch (cause) {
    if (cause instanceof malformed) return undefined;
    throw cause;
  }
}

describe('readers under mutation', () => {
  it(
    `ok/certificates, ${runs} inputs from seed ${seed}: facts or MalformedCertificate, never anything else`,
    () => {
      const random = seeded(seed);
      const mutator = new Mutator(
        certificates.map(({ der }) => der),
        random,
      );
      let readable = 0;
      for (let run = 0; run < runs; run++) {
        const bytes = mutator.next();
        const facts = withinTime(() => read(() => parseCertificate(bytes), MalformedCertificate));
        if (facts === undefined) continue;
        readable += 1;
        if (!sameOctets(facts.der, bytes)) expect(facts.der).toEqual(bytes);
        const { names } = withinTime(() => sipIdentities(facts, { cnFallback: true }));
        if (!names.every((name) => /^[a-z0-9.-]+$/.test(name))) expect(names).toEqual([]);
        // What can be read can be judged, whatever it says; it is not what the anchor signed.
        const input = {
          intermediates: [facts],
          anchors: [anchor.facts, facts],
          crls: readLists,
          at: NOW,
          names: [{ dns: 'a.example' }],
          revocation: 'soft',
        } as const;
        const { ok, findings } = withinTime(() =>
          verifyPath({
            ...input,
            leaf: facts,
            purpose: random.pick(['client', 'server', 'any']),
            strict: random.chance(0.5),
          }),
        );
        if (!ok && findings.length === 0) expect(findings).toEqual('at least one');
        // Not one bit can be changed under the anchor's signature, nor around it.
        if (certificates.some(({ der }) => sameOctets(der, bytes))) continue;
        const forged = verifyPath({
          ...input,
          leaf: facts,
          intermediates: [],
          anchors: [anchor.facts],
          names: [],
          revocation: 'off',
          purpose: 'any',
        });
        if (forged.ok) expect(Buffer.from(bytes).toString('hex')).toBe('not signed by the anchor');
      }
      // Some must get through, or only the first check was fuzzed.
      expect(readable).toBeGreaterThan(runs / 12);
    },
    300_000 + runs,
  );

  it(
    `ok/CRLs, ${runs} inputs from seed ${seed}: facts or MalformedCrl, never anything else`,
    () => {
      const mutator = new Mutator(
        lists.map(({ der }) => der),
        seeded(seed + 1),
      );
      const end = certificates[0]?.facts;
      let readable = 0;
      for (let run = 0; run < runs; run++) {
        const bytes = mutator.next();
        const facts = withinTime(() => read(() => parseCrl(bytes), MalformedCrl));
        if (facts === undefined || end === undefined) continue;
        readable += 1;
        withinTime(() => facts.entries.find(end.serialOctets, end.issuerKeys.text, facts.issuerKeys.text));
        const { ok } = verifyPath({
          leaf: end,
          intermediates: [],
          anchors: [anchor.facts],
          crls: [facts],
          at: NOW,
          purpose: 'any',
          names: [],
          revocation: 'hard',
        });
        // Nothing but a list that the anchor signed settles anything, and those here do not cover the leaf.
        if (ok) expect(Buffer.from(bytes).toString('hex')).toBe('not signed by the anchor');
      }
      expect(readable).toBeGreaterThan(runs / 12);
    },
    300_000 + runs,
  );

  it(
    `ok/OCSP responses, ${runs} inputs from seed ${seed}: a response or MalformedOcsp, and none is good but what was signed`,
    () => {
      const mutator = new Mutator(responses, seeded(seed + 2));
      const context = {
        ...DEFAULT_OCSP_RULES,
        at: NOW,
        skew: 0,
        budget: new Budget(Number.POSITIVE_INFINITY),
        responderStatus: () => ({ status: 'unknown', findings: [] }) as const,
      };
      let readable = 0;
      for (let run = 0; run < runs; run++) {
        const bytes = mutator.next();
        const response = withinTime(() => read(() => parseOcspResponse(bytes), MalformedOcsp));
        if (response === undefined) continue;
        readable += 1;
        const { status } = withinTime(() =>
          ocspStatus(peer.facts, anchor.facts, { response, nonceEchoed: false }, context),
        );
        if (status === 'unknown' || signedData.some((data) => sameOctets(data, response.tbs))) continue;
        expect(Buffer.from(bytes).toString('hex')).toBe('not signed by the anchor');
      }
      expect(readable).toBeGreaterThan(runs / 12);
    },
    300_000 + 2 * runs,
  );

  it('fail/nesting, thousands deep, is refused', () => {
    let nested: Uint8Array = Uint8Array.of(0x30, 0);
    for (let depth = 0; depth < 5000; depth++) {
      const length = nested.length;
      const head = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 255];
      if (length > 0xffff) break;
      nested = Buffer.concat([Uint8Array.of(0x30, ...head), nested]);
    }
    expect(() => parseCertificate(nested)).toThrow(MalformedCertificate);
    expect(() => parseCrl(nested)).toThrow(MalformedCrl);
  });
});
