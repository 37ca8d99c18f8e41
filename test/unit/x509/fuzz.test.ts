import { describe, expect, it } from 'vitest';
import { MalformedCertificate, parseCertificate } from '../../../src/x509/certificate.js';
import { MalformedCrl, parseCrl } from '../../../src/x509/crl.js';
import { sameOctets } from '../../../src/x509/der.js';
import { verifyPath } from '../../../src/x509/path.js';
import { ca, crl, ext, leaf, NOW, root, sharedKey } from '../../support/certificates.js';
import { type Random, seeded } from '../../support/random.js';

/** `SIPTRUST_FUZZ_RUNS` makes the long run of `make fuzz`; `SIPTRUST_FUZZ_SEED` another one. */
const runs = Number(process.env.SIPTRUST_FUZZ_RUNS ?? 6000);
const seed = Number(process.env.SIPTRUST_FUZZ_SEED ?? 1);

/** Octets that mean something in DER: tags, lengths, edges. */
const TELLING = [
  0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0c, 0x13, 0x17, 0x18, 0x1f, 0x30, 0x31, 0x7f, 0x80, 0x81, 0x82, 0x84,
  0xa0, 0xa3, 0xff,
];

/** One to four changes: octets, bits, runs cut, doubled or moved, lengths. */
function mutate(bytes: Uint8Array, random: Random): Uint8Array {
  let out = Uint8Array.from(bytes);
  for (let left = 1 + random.below(4); left > 0 && out.length > 0; left--) {
    const at = random.below(out.length);
    const end = Math.min(out.length, at + 1 + random.below(32));
    const run = out.subarray(at, end);
    switch (random.below(6)) {
      case 0:
        out[at] = random.pick(TELLING);
        break;
      case 1:
        out[at] = (out[at] as number) ^ (1 << random.below(8));
        break;
      case 2:
        out = Uint8Array.from([...out.subarray(0, at), ...out.subarray(end)]);
        break;
      case 3:
        out = Uint8Array.from([...out.subarray(0, end), ...run, ...out.subarray(end)]);
        break;
      case 4:
        out[at] = random.below(256);
        break;
      default:
        out = out.subarray(0, at);
    }
  }
  return out;
}

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
    if (ms <= SLOWEST || attempt === ATTEMPTS) {
      expect(ms).toBeLessThanOrEqual(SLOWEST);
      return value;
    }
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
    `certificates, ${runs} inputs from seed ${seed}: facts or MalformedCertificate, never anything else`,
    () => {
      const random = seeded(seed);
      let readable = 0;
      for (let run = 0; run < runs; run++) {
        const bytes = mutate(random.pick(certificates).der, random);
        const facts = withinTime(() => read(() => parseCertificate(bytes), MalformedCertificate));
        if (facts === undefined) continue;
        readable += 1;
        expect(sameOctets(facts.der, bytes)).toBe(true);
        // What can be read can be judged, whatever it says; it is not what the anchor signed.
        const input = {
          intermediates: [facts],
          anchors: [anchor.facts, facts],
          crls: lists.map((list) => list.facts),
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
        expect(ok || findings.length > 0).toBe(true);
        // Not one bit can be changed under the anchor's signature, nor around it.
        if (certificates.some(({ der }) => sameOctets(der, bytes))) continue;
        expect(
          verifyPath({
            ...input,
            leaf: facts,
            intermediates: [],
            anchors: [anchor.facts],
            names: [],
            revocation: 'off',
            purpose: 'any',
          }).ok,
        ).toBe(false);
      }
      // Some must get through, or only the first check was fuzzed.
      expect(readable).toBeGreaterThan(runs / 50);
    },
    60_000 + runs,
  );

  it(
    `CRLs, ${runs} inputs from seed ${seed}: facts or MalformedCrl, never anything else`,
    () => {
      const random = seeded(seed + 1);
      const end = certificates[0]?.facts;
      let readable = 0;
      for (let run = 0; run < runs; run++) {
        const bytes = mutate(random.pick(lists).der, random);
        const facts = withinTime(() => read(() => parseCrl(bytes), MalformedCrl));
        if (facts === undefined || end === undefined) continue;
        readable += 1;
        expect(facts.entries.find(Uint8Array.of(77), 'x', 'x')).toBeUndefined();
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
        expect(ok).toBe(false);
      }
      expect(readable).toBeGreaterThan(runs / 50);
    },
    60_000 + runs,
  );

  it('nesting, thousands deep, is refused', () => {
    let nested = Uint8Array.of(0x30, 0);
    for (let depth = 0; depth < 5000; depth++) {
      const length = nested.length;
      const head = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 255];
      if (length > 0xffff) break;
      nested = Uint8Array.from([0x30, ...head, ...nested]);
    }
    expect(() => parseCertificate(nested)).toThrow(MalformedCertificate);
    expect(() => parseCrl(nested)).toThrow(MalformedCrl);
  });
});
