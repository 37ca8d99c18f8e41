/** What to write into an agreement, or to do, for each reason that a verdict may have: one row a reason. */

import type { ReasonCode } from '../../reasons.js';
import { isKeyOf } from '../../typed.js';

export const ADVICE: Readonly<Partial<Record<ReasonCode, string>>> = {
  'not-listed': 'no agreement names one of these domains: the one below does',
  'no-sip-id': 'the certificate names no SIP domain: the partner needs one that does (RFC 5922 §7.1)',
  'name-mismatch':
    "the certificate is in other names: if they are the partner's servers, name them (`server_names`; `domains` where they call us), else ask the partner for one in the domain",
  wildcard:
    'a wildcard is no SIP domain identity (RFC 5922 §7.2): the partner needs a certificate in the domain itself, or the agreement accepts one label (`wildcard_names`)',
  'cn-disabled': 'the name stands in the common name alone: cn_fallback: true takes it',
  'anchor-mismatch':
    "the chain ends at a CA that is none of the agreement's anchors: if the partner confirms the change (by another way than this connection), add the anchor below",
  'missing-intermediate':
    'a CA is known neither from the policy nor from what the peer sent: the partner has to send it, or name it in `intermediates`; if the partner confirms that it has another CA (by another way than this connection), add the anchor below',
  'untrusted-chain': 'a CA between certificate and anchor is missing: name it in `intermediates`',
  eku: 'the certificate lacks the purpose of this role: eku: any-role with stack_verification: advisory takes it, or the partner gets one with both',
  'stack-unverified':
    'the TLS stack of the proxy has to accept it too: put the CAs into its ca_list, or say stack_verification: advisory',
  'cert-time': 'the partner has to renew its certificate (or a clock is wrong: siptrustctl doctor)',
  'rev-unknown': 'no revocation list counts: name `crls`, switch daemon.revocation.fetch on, or say revocation: soft',
  revoked: 'the certificate is revoked: nothing makes it trusted; ask the partner',
  'pin-mismatch':
    'the key is none of `pins`: if the partner confirms it (by another way than this connection), add the pin below',
  'monitor-only': 'it would be trusted: enforcement: enforce makes it so',
  'agreement-disabled': 'enabled: true',
  'agreement-time': 'the agreement is not valid now: see `valid`',
  'agreement-direction': 'the agreement does not cover this direction: see `directions`',
  'tls-profile': 'the partner has to offer TLS 1.2 with an AEAD suite, or TLS 1.3 (TS 33.310 §6.2)',
  'weak-key':
    'the partner needs a certificate with a key of 2048 bits (RSA) or P-256 at least, signed with SHA-256 or better',
};

const OWN_ANCHOR =
  'the certificate is self-signed, and no CA vouches for it: if the partner confirms its key (by another way than this connection), pin it as below (`pin: leaf`), else ask for a certificate of a CA';

/** Where nobody but the certificate vouches for itself, no CA that anybody could name helps. */
const SELF_SIGNED: Readonly<Partial<Record<ReasonCode, string>>> = {
  'anchor-mismatch': OWN_ANCHOR,
  'missing-intermediate': OWN_ANCHOR,
  'untrusted-chain': OWN_ANCHOR,
  'stack-unverified': 'no TLS stack accepts it by its CAs: stack_verification: advisory, with the pin below',
};

/** What says no more than one of these beside it. */
const TOLD: Readonly<Partial<Record<ReasonCode, readonly string[]>>> = {
  'no-sip-id': ['cn-disabled', 'wildcard'],
  'stack-unverified': ['eku'],
  'untrusted-chain': ['anchor-mismatch', 'missing-intermediate'],
};

/** What helps against the reasons of a verdict, in their order. */
export function adviceFor(
  reasons: readonly string[],
  { selfIssued }: { readonly selfIssued: boolean },
): readonly string[] {
  const advices = selfIssued ? { ...ADVICE, ...SELF_SIGNED } : ADVICE;
  return [...new Set(reasons)].flatMap((code) => {
    const advice = isKeyOf(advices, code) ? advices[code] : undefined;
    const isTold = isKeyOf(TOLD, code) && TOLD[code]?.some((other) => reasons.includes(other)) === true;
    return advice === undefined || isTold ? [] : [`${code}: ${advice}`];
  });
}
