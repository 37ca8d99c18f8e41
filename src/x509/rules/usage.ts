/** What a leaf certificate may be used for: extended key usage, key usage, kind of certificate (rulebook §6.5). */

import type { Finding } from '../../reasons.js';
import { type CertificateFacts, certificateName } from '../certificate/index.js';

/** The part that the peer plays in the TLS handshake. */
export type Role = 'client' | 'server';

/**
 * `tls`: RFC 5280 purposes; `rfc5924`: id-kp-sipDomain rules; `either`: whichever accepts; `any-role`: as `either`, and
 * the purpose of the other TLS role will do, for partners that have certificates of public CAs alone (rulebook F14).
 */
export const EKU_POLICIES = ['tls', 'rfc5924', 'either', 'any-role'] as const;
export type EkuPolicy = (typeof EKU_POLICIES)[number];

export const PURPOSE = {
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
  ipsecIke: '1.3.6.1.5.5.7.3.17',
  sipDomain: '1.3.6.1.5.5.7.3.20',
  any: '2.5.29.37.0',
} as const;

/** TNAuthList of STIR certificates (RFC 8226 §9). */
const TN_AUTH_LIST = '1.3.6.1.5.5.7.1.26';

const PURPOSE_NAMES: Readonly<Record<string, string>> = {
  '1.3.6.1.5.5.7.3.1': 'serverAuth',
  '1.3.6.1.5.5.7.3.2': 'clientAuth',
  '1.3.6.1.5.5.7.3.3': 'codeSigning',
  '1.3.6.1.5.5.7.3.4': 'emailProtection',
  '1.3.6.1.5.5.7.3.5': 'ipsecEndSystem',
  '1.3.6.1.5.5.7.3.6': 'ipsecTunnel',
  '1.3.6.1.5.5.7.3.7': 'ipsecUser',
  '1.3.6.1.5.5.7.3.8': 'timeStamping',
  '1.3.6.1.5.5.7.3.9': 'OCSPSigning',
  '1.3.6.1.5.5.7.3.17': 'ipsecIKE',
  '1.3.6.1.5.5.7.3.20': 'sipDomain',
  '1.3.6.1.4.1.311.20.2.2': 'smartcardLogon',
  '2.5.29.37.0': 'anyExtendedKeyUsage',
};

/** Purposes of IPsec alone, which a security gateway's certificate bears (TS 33.310 §6.1.3). */
const IPSEC_PURPOSES: readonly string[] = [
  '1.3.6.1.5.5.7.3.5',
  '1.3.6.1.5.5.7.3.6',
  '1.3.6.1.5.5.7.3.7',
  PURPOSE.ipsecIke,
];

/** Purposes in words; what has no name here stands as its OID. */
export const purposeText = (purposes: readonly string[] = []): string =>
  purposes.map((oid) => PURPOSE_NAMES[oid] ?? oid).join(', ') || 'none';

/** The purpose a certificate must bear for its holder to play this part (RFC 5280 §4.2.1.12). */
export function rolePurpose(role: Role): string {
  return role === 'client' ? PURPOSE.clientAuth : PURPOSE.serverAuth;
}

/**
 * Through which purposes the policy accepts a leaf with this extension: the CAs above must allow one of them. `any`
 * stands for an extension that is absent or does not narrow; undefined: the policy does not accept the leaf.
 */
export function acceptedPurposes(
  extension: readonly string[] | undefined,
  role: Role,
  policy: EkuPolicy,
): readonly string[] | undefined {
  const wanted = rolePurpose(role);
  const purposes: string[] = [];
  const asTls = policy !== 'rfc5924';
  const asSip = policy !== 'tls';
  if (asTls && allows(extension, wanted)) purposes.push(wanted);
  // RFC 5924 §5: sipDomain MUST be accepted, absent and any are local policy (accepted), all others MUST NOT be.
  if (asSip && allows(extension, PURPOSE.sipDomain)) purposes.push(PURPOSE.sipDomain);
  const other = rolePurpose(role === 'client' ? 'server' : 'client');
  if (policy === 'any-role' && allows(extension, other)) purposes.push(other);
  return purposes.length > 0 ? purposes : undefined;
}

/** Whether an extended key usage extension lets a key serve this purpose. */
export function allows(extension: readonly string[] | undefined, purpose: string): boolean {
  return extension === undefined || extension.includes(purpose) || extension.includes(PURPOSE.any);
}

/**
 * Judges what the leaf says of its own use: kind of certificate (T-41), key usage (TS 33.310 §6.1.3a), extended key
 * usage by policy (T-39, T-40). The first thing that is wrong, or undefined.
 */
export function checkUsage(leaf: CertificateFacts, role: Role, policy: EkuPolicy): Finding | undefined {
  return checkKind(leaf) ?? checkKeyUsage(leaf) ?? checkExtendedKeyUsage(leaf, role, policy);
}

/**
 * The same of a pinned certificate that is its own anchor. It may be marked as a CA, as `openssl req -x509` does: the pin
 * vouches for its key alone, and nothing that this key has signed is looked at.
 */
export function checkPinnedUsage(leaf: CertificateFacts, role: Role, policy: EkuPolicy): Finding | undefined {
  const own = leaf.isCa ? { ...leaf, isCa: false } : leaf;
  // A CA by keyUsage alone signs no handshake by the book, but with such a certificate every TLS stack does.
  return checkKind(own) ?? (leaf.isCa ? undefined : checkKeyUsage(leaf)) ?? checkExtendedKeyUsage(leaf, role, policy);
}

function checkKind(leaf: CertificateFacts): Finding | undefined {
  const who = certificateName(leaf);
  if (leaf.isCa) {
    return {
      code: 'cert-type',
      detail: `${who}: expected an end-entity certificate, found a CA (basicConstraints cA)`,
    };
  }
  if (leaf.extensions.some(({ oid }) => oid === TN_AUTH_LIST)) {
    return {
      code: 'cert-type',
      detail: `${who}: expected a TLS certificate, found a STIR certificate (TNAuthList, RFC 8226 §9)`,
    };
  }
  const purposes = leaf.extendedKeyUsage;
  if (purposes?.every((oid) => IPSEC_PURPOSES.includes(oid))) {
    return {
      code: 'cert-type',
      detail: `${who}: expected a TLS certificate, found one of a security gateway (only ${purposeText(purposes)})`,
    };
  }
  return undefined;
}

function checkKeyUsage(leaf: CertificateFacts): Finding | undefined {
  const { keyUsage } = leaf;
  // TLS 1.2 with (EC)DHE and TLS 1.3 sign the handshake; static RSA is below the floor anyway (rulebook G-25).
  if (keyUsage === undefined || keyUsage.has('digitalSignature')) return undefined;
  const found = [...keyUsage].join(', ') || 'none';
  return { code: 'key-usage', detail: `${certificateName(leaf)}: expected keyUsage digitalSignature, found ${found}` };
}

function checkExtendedKeyUsage(leaf: CertificateFacts, role: Role, policy: EkuPolicy): Finding | undefined {
  const purposes = leaf.extendedKeyUsage;
  if (acceptedPurposes(purposes, role, policy) !== undefined) return undefined;
  const found = purposeText(purposes);
  const who = certificateName(leaf);
  if (policy === 'rfc5924') {
    return {
      code: 'eku',
      detail: `${who}: expected extendedKeyUsage sipDomain or anyExtendedKeyUsage (RFC 5924 §5), found ${found}`,
    };
  }
  if (role === 'client' && purposes?.includes(PURPOSE.serverAuth)) {
    return { code: 'eku', detail: `${who}: ${lostClientAuth(found, policy)}` };
  }
  const wanted = role === 'client' ? 'clientAuth' : 'serverAuth';
  const or = policy === 'either' ? ' or sipDomain' : '';
  const hint =
    policy === 'tls' && purposes?.includes(PURPOSE.sipDomain)
      ? '; the agreement accepts sipDomain alone with eku: rfc5924 or either'
      : otherRoleHint(purposes, role, policy);
  return {
    code: 'eku',
    detail: `${who}: the peer acts as TLS ${role}: expected extendedKeyUsage ${wanted}${or}, found ${found}${hint}`,
  };
}

/** The next step where the purpose of the other TLS role is there, of a leaf or of a CA above it; else nothing. */
export function otherRoleHint(purposes: readonly string[] | undefined, role: Role, policy: EkuPolicy): string {
  const other = rolePurpose(role === 'client' ? 'server' : 'client');
  if (policy === 'any-role' || !purposes?.includes(other)) return '';
  return `; the agreement accepts ${purposeText([other])} in its place with eku: any-role and stack_verification: advisory`;
}

/**
 * What operators meet since public CAs dropped clientAuth in 2026 (rulebook F14); OpenSSL says only "unsupported
 * certificate purpose". The last part is what the agreement can do about it, which it does not do yet.
 */
function lostClientAuth(found: string, policy: EkuPolicy): string {
  const needed = policy === 'either' ? 'clientAuth (or sipDomain)' : 'clientAuth';
  const sipDomain = policy === 'either' ? '' : 'eku: either for a certificate with sipDomain, ';
  return (
    `the certificate lists extendedKeyUsage ${found}; the peer acts as TLS client, which needs ${needed}.` +
    ' Public CAs no longer issue it, and renewals drop it. Next: a certificate with clientAuth from a private or IPX CA,' +
    ` or in the agreement ${sipDomain}eku: any-role for this one, with stack_verification: advisory (the proxy's TLS refuses it too)`
  );
}
