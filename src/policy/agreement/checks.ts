/** What the keys of one agreement mean to each other: keys without effect, and trust that would rest on nothing. */

import type { Agreement } from '../../trust/agreement/index.js';
import { certificateName } from '../../x509/certificate/index.js';
import { whyUnsigned } from '../../x509/revocation/index.js';
import { acceptedPurposes, otherRoleHint, purposeText } from '../../x509/rules/index.js';
import type { Site } from '../reading/index.js';
import { anchorFiles } from './anchors.js';
import { type AgreementInput, KEY_ROWS } from './keys.js';

/** A key that means nothing to the mechanism would do nothing in silence. */
export function checkMechanism(input: AgreementInput, site: Site): void {
  for (const [, { key, mechanism }] of KEY_ROWS) {
    if (mechanism === undefined || mechanism === input.mechanism || Reflect.get(input, key) === undefined) continue;
    const text = `the key belongs to mechanism ${mechanism}, found mechanism ${input.mechanism}`;
    site.at(key).report('misplaced-key', text, 'key');
  }
  if (input.mechanism === 'tls') return;
  if (input.interface === undefined) {
    site.at('interface').report('missing-key', 'the key is missing: an nds-ip agreement names its interface');
  }
  if ((input.sources ?? []).length === 0) {
    const expected = 'an nds-ip agreement names the addresses that it covers';
    const found = input.sources === undefined ? 'the key is missing' : 'expected at least one prefix, found none';
    site.at('sources').report('missing-key', `${found}: ${expected}`);
  }
}

/** What the trust in a tls agreement would rest on, and whether that can ever hold. */
export function checkTrustBasis(agreement: Agreement, input: AgreementInput, site: Site): void {
  if (agreement.mechanism !== 'tls') return;
  const { pinLeaf, pins, stackVerification, revocation, crls, directions } = agreement;
  const named = anchorFiles(input.anchors);
  const pinned = pinLeaf && (input.pins ?? []).length > 0;

  if (pinLeaf && (input.pins ?? []).length === 0) {
    site.at('pins').report('missing-key', 'the key is missing: pin: leaf trusts the keys that pins names');
  }
  if (!pinned && named.client.length + named.server.length === 0) {
    const expected = 'expected at least one anchor: a tls agreement names the CAs that may vouch for the network';
    site.at('anchors').report('no-anchors', `${expected} (or pins with pin: leaf)`);
  } else if (!pinned) {
    for (const [direction, role] of [
      ['in', 'client'],
      ['out', 'server'],
    ] as const) {
      if (!directions.includes(direction) || named[role].length > 0) continue;
      const text = `direction ${direction} has no effect: no anchor for the role ${role}, so no ${role} is ever trusted`;
      site.at('anchors').report('no-effect', text, 'key');
    }
  }
  if (!pinned) checkPurposes(agreement, site);
  if (stackVerification === 'advisory') {
    const text = 'siptrust alone judges the certificates of this agreement; the proxy has to ask for them unverified';
    site.at('stack_verification').report('stack-advisory', `${text} (verify_client=optional_no_ca)`);
  }
  if (pins.length > 0 && pinLeaf && stackVerification === 'required') {
    const text = 'pin: leaf has an effect only where the proxy itself verifies the certificate; otherwise it takes';
    site.at('pin').report('no-effect', `${text} stack_verification: advisory`);
  }
  if (input.eku === 'any-role' && stackVerification === 'required') {
    // OpenSSL refuses a certificate without the purpose of its role.
    const text = 'eku: any-role does no more than either while the proxy verifies the purpose; otherwise it takes';
    site.at('eku').report('no-effect', `${text} stack_verification: advisory`);
  }
  if (crls.length > 0 && revocation === 'off') {
    site.at('crls').report('no-effect', 'crls has no effect with revocation: off', 'key');
  } else if (!pinned) checkLists(agreement, site);
}

const ROLES = [
  { direction: 'in', role: 'client', who: 'nobody who calls' },
  { direction: 'out', role: 'server', who: 'no next hop' },
] as const;

/**
 * CAs that vouch for another TLS role alone, as the intermediates of public CAs do since 2026 (rulebook F14): told now, and
 * not by the first call. Of intermediates those that an anchor for the role has issued: others may stand under another one.
 */
function checkPurposes({ directions, anchors, intermediates, eku }: Agreement, site: Site): void {
  for (const { direction, role, who } of ROLES) {
    if (!directions.includes(direction)) continue;
    const issuers = new Set(anchors[role].map(({ subjectKeys }) => subjectKeys.text));
    const below = intermediates.filter(({ issuerKeys }) => issuers.has(issuerKeys.text));
    for (const [key, list] of [
      ['anchors', anchors[role]],
      ['intermediates', below],
    ] as const) {
      for (const certificate of list) {
        const { extendedKeyUsage } = certificate;
        if (acceptedPurposes(extendedKeyUsage, role, eku) !== undefined) continue;
        const found = `found extendedKeyUsage ${purposeText(extendedKeyUsage)}${otherRoleHint(extendedKeyUsage, role, eku)}`;
        const text = `${certificateName(certificate)}: expected a CA for TLS ${role}s, ${found}`;
        site.at(key).report('unfit-ca', `${text}: ${who} is trusted under it`);
      }
    }
  }
}

/** Lists that no CA of the agreement has signed: of use only where a peer sends the CA that did. */
function checkLists({ name, anchors, intermediates, crls }: Agreement, site: Site): void {
  const authorities = [...anchors.client, ...anchors.server, ...intermediates];
  for (const crl of authorities.length === 0 ? [] : crls) {
    const why = whyUnsigned(crl, authorities);
    if (why === undefined) continue;
    const text = `the CRL of ${crl.issuerText} has no effect where the peer does not send the certificate of that CA along`;
    const expected = `expected one signed by an anchor or intermediate of agreement ${name}; ${why}`;
    site.at('crls').report('crl-unsigned', `${text}: ${expected}`, 'key');
  }
}

/** Keys about where requests go to, where none may go there, and two that contradict each other. */
export function checkNextHop(agreement: Agreement, input: AgreementInput, site: Site): void {
  if (agreement.mechanism !== 'tls') return;
  if (agreement.requireTls && agreement.allowTlsFallback) {
    const text = 'allow_tls_fallback has no effect with require_tls: true, which lets nothing but TLS be tried';
    site.at('allow_tls_fallback').report('no-effect', text, 'key');
  }
  for (const key of ['require_tls', 'targets', 'allow_tls_fallback'] as const) {
    if (input[key] === undefined || agreement.directions.includes('out')) continue;
    site.at(key).report('no-effect', `${key} has no effect: the agreement does not cover direction out`, 'key');
  }
}
