/** The agreements that certificates of partners ask for: one for all that share a domain. */

import type { CertificateFacts } from '../../x509/certificate/index.js';
import { sipIdentities } from '../../x509/identity/index.js';
import { type Authorities, verifies } from './authorities.js';
import { type Candidate, Names } from './candidate.js';
import type { Finding } from './report.js';

/** A certificate of a partner, and where it came from. */
export interface Leaf {
  readonly file: string;
  readonly facts: CertificateFacts;
}

interface Partner {
  readonly title: string;
  readonly domains: Set<string>;
  readonly anchors: Set<string>;
  readonly intermediates: Set<string>;
  readonly pins: Set<string>;
  readonly from: Set<string>;
  selfSigned: boolean;
  commonName: boolean;
}

/** Domains, anchor, what stands between, and pins that could be asked for, of each partner; `refusals` says why not to trust one. */
export function leafAgreements(
  leaves: readonly Leaf[],
  authorities: Authorities,
  refusals: (leaf: CertificateFacts, above: readonly CertificateFacts[]) => readonly string[],
): { readonly candidates: readonly Candidate[]; readonly findings: readonly Finding[] } {
  const findings: Finding[] = [];
  const partners = new Map<string, Partner>();
  const all = new Set<Partner>();
  for (const { file, facts } of leaves) {
    const fault = (text: string) =>
      void findings.push({ from: file, subject: facts.subjectText, outcome: 'left out', text });
    const named = sipIdentities(facts, { cnFallback: true });
    if (named.names.length === 0) {
      fault(`names no SIP domain (RFC 5922 §7.1): ${why(named.findings)}${wildcardHint(named.findings)}`);
      continue;
    }
    const path = facts.selfIssued && verifies(facts, facts) ? [] : authorities.above(facts);
    if (path === undefined) {
      fault(
        `expected the CA ${facts.issuerText || '(empty name)'}, found it neither here nor in --authorities${caIssuers(facts)}`,
      );
      continue;
    }
    const partner = named.names.map((name) => partners.get(name)).find((each) => each !== undefined) ?? {
      title: named.names[0] ?? file,
      ...{ domains: new Set<string>(), anchors: new Set<string>(), intermediates: new Set<string>() },
      ...{ pins: new Set<string>(), from: new Set<string>(), selfSigned: false, commonName: false },
    };
    all.add(partner);
    for (const name of named.names) {
      const owner = partners.get(name) ?? partner;
      partners.set(name, owner);
      owner.domains.add(name);
      if (owner === partner) continue;
      const text = `${name} is in the agreement of ${owner.title} already: the certificate names domains of both`;
      findings.push({ from: file, subject: facts.subjectText, outcome: 'look', text });
    }
    const anchor = path.at(-1);
    if (anchor === undefined) partner.selfSigned = true;
    else partner.anchors.add(authorities.file(anchor));
    for (const each of path.slice(0, -1)) partner.intermediates.add(authorities.file(each));
    partner.pins.add(`sha256/${facts.spkiSha256}`);
    partner.from.add(file);
    partner.commonName ||= named.kind === 'cn';
    for (const text of refusals(facts, path)) {
      findings.push({ from: file, subject: facts.subjectText, outcome: 'look', text });
    }
    if (anchor !== undefined && !anchor.selfIssued) {
      const text = `the anchor is ${anchor.subjectText}, whose own CA ${anchor.issuerText} is not here: a renewal under another one will not be trusted`;
      findings.push({ from: file, subject: facts.subjectText, outcome: 'look', text });
    }
  }
  const names = new Names();
  return { candidates: [...all].map((partner) => candidateOf(partner, names.take(partner.title))), findings };
}

function candidateOf(partner: Partner, name: string): Candidate {
  const { anchors, intermediates, selfSigned, commonName } = partner;
  const pins = [...partner.pins];
  // A self-signed certificate has nobody to vouch for it: its key is what there is.
  const keys = {
    domains: [...partner.domains],
    mechanism: 'tls',
    anchors: anchors.size > 0 ? [...anchors] : undefined,
    intermediates: intermediates.size > 0 ? [...intermediates] : undefined,
    pins: selfSigned ? pins : undefined,
    pin: selfSigned ? 'leaf' : undefined,
    stack_verification: selfSigned ? 'advisory' : undefined,
    cn_fallback: commonName ? true : undefined,
  };
  return { name, from: [...partner.from], keys, ...(selfSigned ? {} : { proposed: { pins } }) };
}

interface Told {
  readonly code: string;
  readonly detail: string;
}

/** The first of them, in which the others are summed up. */
function why(findings: readonly Told[]): string {
  return findings.find(({ code }) => code === 'no-sip-id')?.detail ?? findings[0]?.detail ?? 'none';
}

function wildcardHint(findings: readonly Told[]): string {
  return findings.some(({ code }) => code === 'wildcard')
    ? ' (an agreement written by hand can accept one label of it: wildcard_names, docs/partners.md)'
    : '';
}

const CA_ISSUERS = '1.3.6.1.5.5.7.48.2';

function caIssuers({ authorityInfoAccess }: CertificateFacts): string {
  const place = authorityInfoAccess?.find(({ method, location }) => method === CA_ISSUERS && location.type === 'uri');
  return place === undefined
    ? ''
    : ` (the certificate says that it is at ${Buffer.from(place.location.bytes).toString('latin1')})`;
}
