/** Who is at the other end of a TLS connection that we opened: the next hop says which agreement is asked. */

import { quoted } from '../../printable.js';
import type { Agreement } from '../agreement/index.js';
import { agreementChange, agreementInForce, type CoverContext } from '../cover/index.js';
import type { Evidence, TlsEvidence } from '../evidence/index.js';
import { type NextHopName, nextHopName } from '../hop/index.js';
import { type Outcome, type Trail, untrusted } from '../verdict/index.js';
import { judgeAgreement, refused } from './agreed.js';
import { noteIdentities, type Presented, underWildcard } from './presented.js';

type Partner = Extract<NextHopName, { kind: 'partner' }>;

/**
 * A domain that no agreement names asks nothing of anybody: what leaves for it is stripped, whoever answers there.
 * `present` reads what the peer showed; undefined: nothing of it is of use, and the trail says why.
 */
export function judgeOutbound(
  evidence: Evidence,
  tls: TlsEvidence | undefined,
  context: CoverContext,
  present: (tls: TlsEvidence | undefined) => Presented | undefined,
): Outcome {
  const { trail, snapshot, now } = context;
  const target = nextHopName(evidence.nextHop ?? '', snapshot);
  if (target.kind === 'invalid') {
    const what = evidence.nextHop === undefined ? 'none' : `${quoted(evidence.nextHop)} (${target.why})`;
    trail.fail('next hop', 'bad-input', `expected the domain that was resolved in next_hop, found ${what}`);
    return untrusted();
  }
  if (target.kind === 'ip') {
    trail.fail('next hop', 'ip-literal', `next_hop ${target.address} is an address; no identity can match it`);
    return untrusted();
  }
  if (target.kind === 'stranger') {
    trail.fail('agreement', 'not-listed', `no agreement names ${target.text}: nothing is asked of who answers there`);
    return untrusted();
  }
  const { agreement } = target;
  const change = agreementChange(agreement, now);
  if (!agreementInForce(agreement, 'tls', context)) return untrusted(agreement, change);
  const presented = present(tls);
  if (presented === undefined) return refused(agreement, change, context);
  const names = namesFor(target, presented, trail);
  if (names.length === 0) return refused(agreement, Math.min(change, presented.validUntil), context);
  const domains = names.every((name) => target.domains.includes(name)) ? names : target.domains;
  return judgeAgreement(agreement, { names, domains }, presented, context);
}

/** The names of the peer that stand for the next hop: its domain, or what the agreement takes in place of it (RFC 5922 §7.3). */
function namesFor({ agreement, domains, text }: Partner, presented: Presented, trail: Trail): readonly string[] {
  const same = presented.names.filter((name) => domains.includes(name));
  const server = presented.names.filter((name) => agreement.serverNames.includes(name));
  const wild = underWildcard(presented, agreement);
  noteIdentities(presented, wild.length > 0, trail);
  if (same.length > 0) {
    trail.pass('next hop', `${text} is an identity of the certificate`, 'RFC 5922 §7.3');
    return same;
  }
  if (server.length > 0) {
    const compared = `${server.join(', ')} stands for ${text}: server_names of agreement ${agreement.name}`;
    trail.pass('next hop', compared, 'operator policy');
    return server;
  }
  if (wild.length > 0) {
    const detail = `${wild.join(', ')} stands for ${text}: one label in front of a suffix of agreement ${agreement.name}`;
    trail.note('next hop', 'wildcard', detail);
    return wild;
  }
  if (presented.names.length > 0) {
    trail.fail('next hop', 'name-mismatch', mismatch(agreement, text, presented.names));
  }
  return [];
}

const MOST_NAMES = 16;

function mismatch({ name }: Agreement, text: string, names: readonly string[]): string {
  const shown = names.slice(0, MOST_NAMES).join(', ');
  const more = names.length > MOST_NAMES ? ` and ${names.length - MOST_NAMES} more` : '';
  const hint = `if that is a server of this network, put the name under server_names of agreement ${name}`;
  return `next_hop is ${text}, the certificate names ${shown}${more}; ${hint}`;
}
