/** Chains for the comparison with OpenSSL: right ones, and ones that a named change makes subtly wrong (or not). */

import type { PeerName } from '../../src/x509/identity/peer-name.js';
import {
  type CertificateSpec,
  type CrlSpec,
  ca,
  crl,
  DAY,
  type Issued,
  type IssuedCrl,
  leaf,
  makeKey,
  makeName,
  type NameSpec,
  NOW,
  root,
  sharedKey,
} from './certificates.js';
import { CHANGES, type Place, UNKNOWN_CRITICAL } from './chain-changes.js';
import { der } from './der.js';
import { type Random, seeded } from './random.js';

interface Draft {
  /** Anchor first, leaf last. */
  readonly specs: CertificateSpec[];
  purpose: 'client' | 'server' | 'any';
  /** Drops the intermediate with this index. */
  missing: number | undefined;
  /** CRL of the CA with this index, changed; undefined: no CRLs at all. */
  crls: 'none' | keyof typeof LISTS | 'missing';
  /** What the leaf is asked for. */
  names: readonly PeerName[];
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
  readonly names: readonly PeerName[];
}

const changed = (old: CertificateSpec, change: CertificateSpec): CertificateSpec => ({
  ...old,
  ...change,
  extensions: { ...old.extensions, ...change.extensions },
});

/** What is wrong with the list of one CA, or not: its spec, for the certificate below that CA. */
const LISTS: Readonly<Record<string, (below: Issued, stranger: Issued) => CrlSpec>> = {
  good: () => ({}),
  revoked: ({ serial }) => ({ revoked: [{ serial: Uint8Array.of(0x33) }, { serial }] }),
  'on hold': ({ serial }) => ({ revoked: [{ serial, reason: 6 }] }),
  'removed in a complete list': ({ serial }) => ({ revoked: [{ serial, reason: 8 }] }),
  'of another serial number': ({ serial }) => ({ revoked: [{ serial: Uint8Array.of(...serial.subarray(1), 1) }] }),
  expired: () => ({ thisUpdate: NOW - 9 * DAY, nextUpdate: NOW - DAY }),
  future: () => ({ thisUpdate: NOW + DAY }),
  'without nextUpdate': () => ({ nextUpdate: 'absent' }),
  forged: () => ({ signer: makeKey() }),
  critical: () => ({ add: [UNKNOWN_CRITICAL] }),
  'critical entry': () => ({ revoked: [{ serial: Uint8Array.of(0x33), add: [UNKNOWN_CRITICAL] }] }),
  'of users': () => ({ scope: { users: true } }),
  'of CAs': () => ({ scope: { cas: true } }),
  'of attributes': () => ({ scope: { attributes: true } }),
  'of some reasons': () => ({ scope: { reasons: ['keyCompromise'] } }),
  indirect: () => ({ scope: { indirect: true } }),
  'of another point': () => ({ scope: { names: [{ uri: 'http://a.example/' }] } }),
  delta: () => ({ base: 3 }),
  'without number': () => ({ number: 'absent' }),
  'of version 1': () => ({ version: 'absent' }),
  'with SHA-1': () => ({ signature: 'sha1' }),
  'by another CA': (_below, stranger) => ({ signer: stranger.key }),
};

const NAMES: readonly (readonly PeerName[])[] = [
  [],
  [],
  [],
  [{ dns: 'peer.example' }],
  [{ dns: 'a.peer.example' }],
  [{ dns: 'other.example' }],
  [{ ip: '192.0.2.7' }],
  [{ email: 'noc@a.example' }],
];

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
    names: random.pick(NAMES),
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
    draft.crls = random.pick([...Object.keys(LISTS), 'missing']);
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
    const own = issuer === undefined ? wanted : { ...rest, issuer: otherForm(issuer as string, i - 1) };
    const selfIssued = wanted.subject === 'name of the issuer' && above !== undefined;
    const spec = selfIssued ? { ...own, subject: above.subject } : own;
    const last = i === draft.specs.length - 1;
    if (above === undefined) chain.push(root(spec));
    else chain.push(last ? leaf(above, spec) : ca(above, spec));
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
    names: draft.names,
  };
}

/** The issuer's name in other letters or another string type, which is the same name (RFC 5280 §7.1). */
function otherForm(form: string, index: number): NameSpec {
  return form === 'printable'
    ? makeName(`O=Example,CN=certificate ${index}`, der.printable)
    : `O=EXAMPLE,CN=Certificate  ${index} `;
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
  const stranger = issuers[0] as Issued;
  return issuers.flatMap((issuer, i) => {
    if (i !== chosen) return [crl(issuer)];
    if (kind === 'missing') return [];
    return [crl(issuer, LISTS[kind]?.(subjects[i] as Issued, stranger) ?? {})];
  });
}
