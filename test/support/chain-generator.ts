/** Chains for the comparison with OpenSSL: right ones, and ones that a named change makes subtly wrong (or not). */

import {
  type CertificateSpec,
  ca,
  crl,
  DAY,
  ext,
  extension,
  type Issued,
  type IssuedCrl,
  leaf,
  makeKey,
  NOW,
  root,
  sharedKey,
} from './certificates.js';
import { der } from './der.js';
import { type Random, seeded } from './random.js';

/** Where in the chain a change is made: 0 the anchor, then down; the last is the leaf. */
type Place = 'root' | 'ca' | 'leaf';

interface Draft {
  /** Anchor first, leaf last. */
  readonly specs: CertificateSpec[];
  purpose: 'client' | 'server' | 'any';
  /** Drops the intermediate with this index. */
  missing: number | undefined;
  /** CRL of the CA with this index, changed; undefined: no CRLs at all. */
  crls: 'none' | 'good' | 'revoked' | 'expired' | 'missing' | 'forged' | 'critical' | 'future';
}

export interface GeneratedChain {
  readonly seed: number;
  /** Names of the changes that were made. */
  readonly changes: readonly string[];
  readonly purpose: 'client' | 'server' | 'any';
  readonly anchors: readonly Issued[];
  readonly via: readonly Issued[];
  readonly leaf: Issued;
  readonly crls: readonly IssuedCrl[] | undefined;
}

const changed = (old: CertificateSpec, change: CertificateSpec): CertificateSpec => ({
  ...old,
  ...change,
  extensions: { ...old.extensions, ...change.extensions },
});

const flip = (octets: Uint8Array): Uint8Array =>
  octets.map((octet, i) => (i === octets.length - 1 ? octet ^ 1 : octet));
const critical = extension('1.3.6.1.4.1.55738.666.1', der.null(), true);
const OTHER_ALGORITHM = der.seq(der.oid('1.2.840.10045.4.3.3'));

/** Changes of one certificate: the places where each is tried. */
const CHANGES: Readonly<
  Record<string, readonly [places: readonly Place[], change: (random: Random) => CertificateSpec]>
> = {
  expired: [['root', 'ca', 'leaf'], () => ({ notAfter: NOW - DAY })],
  'not yet valid': [['root', 'ca', 'leaf'], () => ({ notBefore: NOW + DAY })],
  'signature changed': [['ca', 'leaf'], () => ({ changeSignature: flip })],
  'signed by another key': [['ca', 'leaf'], () => ({ signer: sharedKey('p256', 'stranger') })],
  'no basicConstraints': [['root', 'ca'], () => ({ extensions: { basicConstraints: undefined } })],
  'cA false': [['root', 'ca', 'leaf'], () => ({ extensions: { basicConstraints: ext.basicConstraints(false) } })],
  'cA true': [['leaf'], () => ({ extensions: { basicConstraints: ext.basicConstraints(true) } })],
  'basicConstraints not critical': [
    ['root', 'ca'],
    () => ({ extensions: { basicConstraints: ext.basicConstraints(true, undefined, false) } }),
  ],
  'path length': [
    ['root', 'ca'],
    (r) => ({ extensions: { basicConstraints: ext.basicConstraints(true, r.below(3)) } }),
  ],
  'path length without cA': [['leaf'], () => ({ extensions: { basicConstraints: ext.basicConstraints(false, 0) } })],
  'no keyCertSign': [
    ['root', 'ca'],
    () => ({ extensions: { keyUsage: ext.keyUsage(['digitalSignature', 'cRLSign']) } }),
  ],
  'no keyUsage of a CA': [['root', 'ca'], () => ({ extensions: { keyUsage: undefined } })],
  'no keyUsage of the leaf': [['leaf'], () => ({ extensions: { keyUsage: undefined } })],
  'keyCertSign of the leaf': [
    ['leaf'],
    () => ({ extensions: { keyUsage: ext.keyUsage(['digitalSignature', 'keyCertSign']) } }),
  ],
  'keyEncipherment only': [['leaf'], () => ({ extensions: { keyUsage: ext.keyUsage(['keyEncipherment']) } })],
  'serverAuth only': [['leaf'], () => ({ extensions: { purposes: ext.purposes(['serverAuth']) } })],
  'clientAuth only': [['leaf'], () => ({ extensions: { purposes: ext.purposes(['clientAuth']) } })],
  'sipDomain only': [['leaf'], () => ({ extensions: { purposes: ext.purposes(['sipDomain']) } })],
  'any purpose only': [['leaf'], () => ({ extensions: { purposes: ext.purposes(['any']) } })],
  'no extendedKeyUsage': [['leaf'], () => ({ extensions: { purposes: undefined } })],
  'CA for serverAuth': [['root', 'ca'], () => ({ extensions: { purposes: ext.purposes(['serverAuth']) } })],
  'CA for codeSigning': [['root', 'ca'], () => ({ extensions: { purposes: ext.purposes(['codeSigning']) } })],
  'CA for any purpose': [['root', 'ca'], () => ({ extensions: { purposes: ext.purposes(['any']) } })],
  'unknown critical extension': [['root', 'ca', 'leaf'], () => ({ add: [critical] })],
  'unknown extension': [['root', 'ca', 'leaf'], () => ({ add: [extension('1.3.6.1.4.1.55738.666.1', der.null())] })],
  'no authorityKeyIdentifier': [['ca', 'leaf'], () => ({ extensions: { authorityKey: undefined } })],
  'another authorityKeyIdentifier': [
    ['ca', 'leaf'],
    () => ({ extensions: { authorityKey: ext.authorityKey(sharedKey('p256', 'stranger').identifier) } }),
  ],
  'no subjectKeyIdentifier': [['root', 'ca', 'leaf'], () => ({ extensions: { subjectKey: undefined } })],
  'critical authorityInfoAccess': [['leaf'], () => ({ add: [ext.authorityInfo(true)] })],
  'empty subjectAltName': [['leaf'], () => ({ extensions: { altNames: ext.altNames([]) } })],
  'critical subjectAltName': [
    ['leaf'],
    () => ({ extensions: { altNames: ext.altNames([{ dns: 'peer.example' }], true) } }),
  ],
  'empty subject': [['leaf'], () => ({ subject: '' })],
  'empty subject of a CA': [['ca'], () => ({ subject: '' })],
  'empty subject, critical subjectAltName': [
    ['leaf'],
    () => ({ subject: '', extensions: { altNames: ext.altNames([{ dns: 'peer.example' }], true) } }),
  ],
  'no subjectAltName': [['leaf'], () => ({ extensions: { altNames: undefined } })],
  'sip URI': [
    ['leaf'],
    () => ({ extensions: { altNames: ext.altNames([{ uri: 'sip:peer.example' }, { dns: 'peer.example' }]) } }),
  ],
  'extension twice': [['leaf', 'ca'], () => ({ add: [ext.subjectKey(Uint8Array.of(1, 2, 3))] })],
  'serial number 0': [['leaf', 'ca'], () => ({ serial: 0n })],
  'negative serial number': [['leaf', 'ca'], () => ({ serial: -5n })],
  'long serial number': [['leaf', 'ca'], () => ({ serial: 1n << 175n })],
  'version 1': [['leaf', 'ca'], () => ({ version: 'absent', bare: true })],
  'GeneralizedTime before 2050': [['leaf', 'ca'], () => ({ notAfter: der.generalizedTime(new Date(NOW + DAY)) })],
  'other algorithm outside': [['leaf', 'ca'], () => ({ outerAlgorithm: OTHER_ALGORITHM })],
  'RSA 1024': [['leaf', 'ca', 'root'], () => ({ key: sharedKey('rsa1024') })],
  'RSA 2048': [['leaf', 'ca', 'root'], () => ({ key: sharedKey('rsa2048') })],
  'P-384': [['leaf', 'ca', 'root'], () => ({ key: sharedKey('p384') })],
  Ed25519: [['leaf', 'ca', 'root'], () => ({ key: sharedKey('ed25519') })],
  'SHA-1': [['leaf', 'ca'], () => ({ signature: 'sha1' })],
  'permitted DNS, inside': [['root', 'ca'], () => ({ add: [ext.constraints({ permitted: [{ dns: 'example' }] })] })],
  'permitted DNS, outside': [['root', 'ca'], () => ({ add: [ext.constraints({ permitted: [{ dns: 'a.example' }] })] })],
  'permitted DNS with a leading dot': [
    ['root', 'ca'],
    () => ({ add: [ext.constraints({ permitted: [{ dns: '.example' }] })] }),
  ],
  'excluded DNS': [['root', 'ca'], () => ({ add: [ext.constraints({ excluded: [{ dns: 'peer.example' }] })] })],
  'excluded DNS of another': [
    ['root', 'ca'],
    () => ({ add: [ext.constraints({ excluded: [{ dns: 'xpeer.example' }] })] }),
  ],
  'permitted URI': [['root', 'ca'], () => ({ add: [ext.constraints({ permitted: [{ uri: '.example' }] })] })],
  'permitted address': [
    ['root', 'ca'],
    () => ({ add: [ext.constraints({ permitted: [{ ip: [192, 0, 2, 0, 255, 255, 255, 0] }] })] }),
  ],
  'permitted directory, inside': [
    ['root', 'ca'],
    () => ({ add: [ext.constraints({ permitted: [{ directory: 'O=EXAMPLE' }] })] }),
  ],
  'permitted directory, outside': [
    ['root', 'ca'],
    () => ({ add: [ext.constraints({ permitted: [{ directory: 'O=Elsewhere' }] })] }),
  ],
  'address inside': [
    ['leaf'],
    () => ({ extensions: { altNames: ext.altNames([{ dns: 'peer.example' }, { ip: [192, 0, 2, 7] }]) } }),
  ],
  'address outside': [
    ['leaf'],
    () => ({ extensions: { altNames: ext.altNames([{ dns: 'peer.example' }, { ip: [192, 0, 3, 7] }]) } }),
  ],
  'nameConstraints in the leaf': [['leaf'], () => ({ add: [ext.constraints({ permitted: [{ dns: 'example' }] })] })],
  'empty nameConstraints': [['ca'], () => ({ add: [ext.constraints({})] })],
  'explicit policy required': [['root', 'ca'], () => ({ add: [ext.policyConstraints(0)] })],
  'a policy': [['ca', 'leaf'], () => ({ add: [ext.policies(['1.2.3.4'])] })],
  'name in other letters': [['ca', 'leaf'], () => ({ issuer: 'other letters' })],
};

const LISTS: readonly Draft['crls'][] = ['good', 'revoked', 'expired', 'missing', 'forged', 'critical', 'future'];

/** The chain of one seed: none to three changes. */
export function generateChain(seed: number): GeneratedChain {
  const random = seeded(seed);
  const length = 2 + random.below(3);
  const keys = Array.from({ length }, (_, i) => sharedKey('p256', `chain ${i}`));
  const draft: Draft = {
    specs: keys.map((key, i) => ({ key, subject: `O=Example,CN=certificate ${i}` })),
    purpose: random.pick(['client', 'server', 'any'] as const),
    missing: undefined,
    crls: 'none',
  };
  const changes: string[] = [];
  const count = random.pick([0, 1, 1, 1, 2, 2, 3]);
  for (let n = 0; n < count; n++) {
    const name = random.pick(Object.keys(CHANGES));
    const [places, make] = CHANGES[name] as (typeof CHANGES)[string];
    const index = indexOf(random.pick(places), length, random);
    if (index === undefined) continue;
    const [old, change] = [draft.specs[index] as CertificateSpec, make(random)];
    // Two added extensions could be of one kind, which is a change of its own.
    if (old.add !== undefined && change.add !== undefined) continue;
    changes.push(name);
    draft.specs[index] = changed(old, change);
  }
  if (length > 2 && random.chance(0.03)) {
    changes.push('intermediate missing');
    draft.missing = 1 + random.below(length - 2);
  }
  if (random.chance(0.25)) {
    draft.crls = random.pick(LISTS);
    changes.push(`CRL ${draft.crls}`);
  }
  return build(seed, changes, draft, random);
}

function indexOf(place: Place, length: number, random: Random): number | undefined {
  if (place === 'root') return 0;
  if (place === 'leaf') return length - 1;
  return length > 2 ? 1 + random.below(length - 2) : undefined;
}

function build(seed: number, changes: string[], draft: Draft, random: Random): GeneratedChain {
  const chain: Issued[] = [];
  draft.specs.forEach((wanted, i) => {
    const above = chain.at(-1);
    const { issuer, ...rest } = wanted;
    const own = issuer === undefined ? wanted : { ...rest, issuer: `O=EXAMPLE,CN=Certificate  ${i - 1} ` };
    const last = i === draft.specs.length - 1;
    if (above === undefined) chain.push(root(own));
    else chain.push(last ? leaf(above, own) : ca(above, own));
  });
  const end = chain.pop() as Issued;
  const [anchor, ...via] = chain as [Issued, ...Issued[]];
  const crls = draft.crls === 'none' ? undefined : makeLists(draft.crls, [anchor, ...via], [...via, end], random);
  const present = via.filter((_, i) => i + 1 !== draft.missing);
  const extra = random.chance(0.3) ? strangers(via[0] ?? anchor, changes) : [];
  return {
    seed,
    changes,
    purpose: draft.purpose,
    anchors: [anchor],
    via: random.shuffle([...present, ...extra]),
    leaf: end,
    crls,
  };
}

/** Certificates that must not matter: a twin of a CA under an unknown root, and an expired one. */
function strangers(of: Issued, changes: string[]): readonly Issued[] {
  changes.push('strangers');
  const elsewhere = root({ key: sharedKey('p256', 'stranger'), subject: 'CN=elsewhere' });
  return [ca(elsewhere, { subject: of.subject, key: of.key }), ca(elsewhere)];
}

function makeLists(
  kind: Draft['crls'],
  issuers: readonly Issued[],
  subjects: readonly Issued[],
  random: Random,
): readonly IssuedCrl[] {
  const chosen = random.below(issuers.length);
  return issuers.flatMap((issuer, i) => {
    if (i !== chosen) return [crl(issuer)];
    switch (kind) {
      case 'missing':
        return [];
      case 'revoked':
        return [
          crl(issuer, {
            revoked: [{ serial: Uint8Array.of(0x33) }, { serial: subjects[i]?.serial ?? Uint8Array.of(1) }],
          }),
        ];
      case 'expired':
        return [crl(issuer, { thisUpdate: NOW - 9 * DAY, nextUpdate: NOW - DAY })];
      case 'future':
        return [crl(issuer, { thisUpdate: NOW + DAY })];
      case 'forged':
        return [crl(issuer, { signer: makeKey() })];
      case 'critical':
        return [crl(issuer, { add: [critical] })];
      default:
        return [crl(issuer)];
    }
  });
}
