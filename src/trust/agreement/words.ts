/**
 * What words about a certificate cannot do for an agreement: words are all that some proxies have (OpenSIPS), and what
 * needs the certificate itself is not served by them.
 */

import type { Agreement } from './agreement.js';

type Terms = Pick<
  Agreement,
  | 'mechanism'
  | 'pinned'
  | 'pins'
  | 'revocation'
  | 'issuer'
  | 'attributeIssuers'
  | 'domains'
  | 'stackVerification'
  | 'cnFallback'
  | 'enforcement'
>;

/** Why nobody is trusted under this agreement by words; undefined: somebody may be. */
export function needsCertificate({ pinned, pins, revocation, issuer, attributeIssuers }: Terms): string | undefined {
  if (pinned || pins.length > 0) return 'pins need the certificate';
  if (revocation === 'hard') return 'revocation: hard needs the certificate';
  if (Object.keys(issuer).length === 0 && attributeIssuers.length === 0) {
    return 'the agreement names no issuer (attributes.issuers), and no anchor can be checked';
  }
  return undefined;
}

/** How far words serve an agreement. */
export interface WordsFinding {
  readonly served: 'yes' | 'partly' | 'no';
  /** Empty where all of it is served. */
  readonly why: string;
}

/** For the operator of a proxy that has words alone. */
export function servedByWords(agreement: Terms): WordsFinding {
  const tls = agreement.mechanism === 'tls';
  const no = tls ? needsCertificate(agreement) : undefined;
  if (no !== undefined) return { served: 'no', why: no };
  const partly = [
    ...(agreement.enforcement === 'monitor'
      ? ['enforcement: monitor: OpenSIPS strips its messages as those of a stranger all the same']
      : []),
    ...(tls ? onlyOfCertificates(agreement) : []),
  ];
  return { served: partly.length === 0 ? 'yes' : 'partly', why: partly.join('; ') };
}

function onlyOfCertificates(agreement: Terms): readonly string[] {
  return [
    ...(agreement.domains.length > 1
      ? [`${agreement.domains.length} domains: of each certificate the first name alone counts`]
      : []),
    ...(agreement.stackVerification === 'advisory'
      ? ['stack_verification: advisory: what the proxy did not verify stays untrusted']
      : []),
    ...(agreement.cnFallback ? ['cn_fallback: a certificate without subjectAltName stays untrusted'] : []),
  ];
}
