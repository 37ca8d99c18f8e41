/** Who opened a TLS connection to us: all agreements that the names of the peer belong to are asked. */

import { type Finding, ranked, reason } from '../../reasons.js';
import { type Agreement, agreementOfName, leastPrivilege, parentOf, type Snapshot } from '../agreement/index.js';
import type { CoverContext } from '../cover/index.js';
import { ASSURANCES, type Assurance, type Outcome, Trail, untrusted } from '../verdict/index.js';
import { judgeAgreement } from './agreed.js';
import { noteIdentities, type Presented, underWildcard } from './presented.js';

/** Who calls: by its certificate, or by the path that it came by. */
export function judgeInbound(presented: Presented, context: CoverContext): Outcome {
  const { trail, snapshot } = context;
  const candidates = candidatesOf(presented, snapshot);
  const accepted = candidates.some((agreement) => underWildcard(presented, agreement).length > 0);
  noteIdentities(presented, accepted, trail);
  if (candidates.length === 0) {
    if (presented.names.length > 0) trail.fail('agreement', 'not-listed', notListed(presented.names, snapshot));
    if (!presented.verified) {
      trail.fail('stack', 'stack-unverified', 'the TLS stack did not verify the certificate');
    }
    return untrusted(undefined, presented.validUntil);
  }
  const asked = askedOf(candidates);
  if (asked.length > MOST_AGREEMENTS) {
    const [one] = asked;
    trail.fail('agreement', 'ambiguous-peer', tooMany(asked));
    // Of an agreement: what names a partner is never outweighed by its address.
    return untrusted(one, presented.validUntil);
  }
  const judged = asked.map((agreement) => judgedAlone(agreement, presented, context));
  // What is only monitored changes nothing for the others, nor does what is not in force: both lend the peer nothing.
  const enforced = judged.filter(({ outcome }) => outcome.agreement?.enforcement === 'enforce');
  const counting = enforced.length > 0 ? enforced : judged;
  const inForce = counting.filter(isInForce);
  const [first, ...others] = inForce.length > 0 ? inForce : counting;
  for (const { trail: own } of judged) trail.checks.push(...own.checks);
  if (first === undefined) return untrusted(undefined, presented.validUntil);
  const outcome = strictest(first, others, trail);
  if (inForce.length === 0 || inForce.length === counting.length) return outcome;
  const aside = counting.filter((each) => !isInForce(each));
  for (const { trail: own } of aside) {
    const why = own.failures[0]?.detail;
    trail.note('agreement', 'ambiguous-peer', `the certificate names another agreement that counts as absent: ${why}`);
  }
  return { ...outcome, validUntil: Math.min(outcome.validUntil, ...aside.map(({ outcome: left }) => left.validUntil)) };
}

/** Why an agreement says nothing of this hop, whoever is at the other end (TS 33.203 §5.4). */
const NOT_IN_FORCE: ReadonlySet<Finding['code']> = new Set([
  'agreement-disabled',
  'agreement-time',
  'agreement-direction',
  'agreement-mechanism',
]);

function isInForce({ trail }: JudgedAlone): boolean {
  return !trail.failures.some(({ code }) => NOT_IN_FORCE.has(code));
}

/** Each once, by name: nothing may depend on the order of the certificate or of the policy. */
function candidatesOf({ names, wildcards }: Presented, snapshot: Snapshot): readonly Agreement[] {
  const found = new Set([
    ...names.flatMap((name) => agreementOfName(name, snapshot) ?? []),
    ...wildcards.flatMap((suffix) => snapshot.byWildcard.get(suffix) ?? []),
  ]);
  return [...found].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Above any network that is another's too. Anybody can write the names of all partners into a certificate of his own. */
const MOST_AGREEMENTS = 32;

/** Those that are judged; what is only monitored is left out where that brings the others within bounds. */
function askedOf(candidates: readonly Agreement[]): readonly Agreement[] {
  if (candidates.length <= MOST_AGREEMENTS) return candidates;
  const enforced = candidates.filter(({ enforcement }) => enforcement === 'enforce');
  return enforced.length > 0 ? enforced : candidates;
}

function tooMany(agreements: readonly Agreement[]): string {
  const shown = agreements.slice(0, 3).map(({ name }) => name);
  return `expected a certificate with names of at most ${MOST_AGREEMENTS} agreements, found ${agreements.length}: ${shown.join(', ')} and more`;
}

const MOST_NAMES = 16;

function notListed(names: readonly string[], { byServerName, byDomain }: Snapshot): string {
  const shown = names.slice(0, MOST_NAMES);
  const more = names.length > shown.length ? ` and ${names.length - shown.length} more` : '';
  const server = shown.map((name) => byServerName.get(name)).find((each) => each !== undefined);
  const hint =
    server === undefined
      ? belowHint(shown, byDomain)
      : `; server_names of agreement ${server.name} count for next hops alone: put the name of a peer that calls under domains`;
  return `no agreement names ${shown.join(', ')}${more}${hint}`;
}

/** A machine in the domain of a partner looks like that partner to people, and is another name (RFC 5922 §7.2). */
function belowHint(names: readonly string[], byDomain: Snapshot['byDomain']): string {
  for (const name of names) {
    for (let above = parentOf(name); above !== ''; above = parentOf(above)) {
      const agreement = byDomain.get(above);
      if (agreement === undefined) continue;
      return `; names are compared whole, and agreement ${agreement.name} has ${above}: if ${name} is of that network, put it under domains`;
    }
  }
  return '';
}

interface JudgedAlone {
  readonly outcome: Outcome;
  /** Of this agreement alone: what one finds says nothing of another. */
  readonly trail: Trail;
}

function judgedAlone(agreement: Agreement, presented: Presented, context: CoverContext): JudgedAlone {
  const trail = new Trail();
  const wild = underWildcard(presented, agreement);
  const names = [...new Set([...presented.names.filter((name) => agreement.domains.includes(name)), ...wild])];
  for (const name of wild) {
    const detail = `${name} is accepted as one label in front of a suffix of agreement ${agreement.name}`;
    trail.note('identity', 'wildcard', detail);
  }
  return { outcome: judgeAgreement(agreement, { names, domains: names }, presented, { ...context, trail }), trail };
}

/** All of them must hold, and what remains is what all allow (RFC 5922 §7.4; rulebook I-4, T-44). */
function strictest(first: JudgedAlone, others: readonly JudgedAlone[], trail: Trail): Outcome {
  const all = [first, ...others];
  const worst = others.reduce((held, next) => (isStricter(next, held) ? next : held), first);
  trail.failures.push(...worst.trail.failures);
  if (others.length === 0) {
    trail.notes.push(...first.trail.notes);
    return first.outcome;
  }
  const names = all.map(({ outcome }) => outcome.agreement?.name ?? 'none').join(' and ');
  const outcomes = all.map(({ outcome }) => outcome);
  const validUntil = Math.min(...outcomes.map((outcome) => outcome.validUntil));
  const observes = outcomes.every((outcome) => (outcome.observes ?? []).length > 0)
    ? outcomes.flatMap((outcome) => outcome.observes ?? [])
    : [];
  const proven = outcomes.every((outcome) => outcome.proven === true);
  if (worst.outcome.grant === undefined) {
    const why = ranked(worst.trail.failures)[0]?.detail;
    const detail = `agreements ${names} are named by the certificate; ${worst.outcome.agreement?.name ?? 'one'} does not hold: ${why}`;
    trail.fail('agreement', 'ambiguous-peer', detail);
    return { ...worst.outcome, validUntil, observes, proven };
  }
  for (const { trail: own } of all) trail.notes.push(...own.notes);
  trail.note('agreement', 'ambiguous-peer', `agreements ${names} all cover the certificate`);
  const agreements = outcomes.flatMap(({ agreement }) => agreement ?? []);
  const [one, ...more] = agreements;
  return {
    ...worst.outcome,
    assurance: outcomes.map(({ assurance }) => assurance).reduce(weaker),
    agreement: one && more.reduce(leastPrivilege, one),
    domains: outcomes.flatMap(({ domains }) => domains),
    validUntil,
    observes,
    proven,
  };
}

/** Closed before untrusted, untrusted before trusted; of two that are alike the one that says more, then by name. */
function isStricter(a: JudgedAlone, b: JudgedAlone): boolean {
  const [left, right] = [severity(a), severity(b)];
  const at = left.findIndex((value, index) => value !== right[index]);
  return at >= 0 && (left[at] ?? 0) > (right[at] ?? 0);
}

function severity({ outcome, trail }: JudgedAlone): readonly number[] {
  const rank = Math.max(0, ...trail.failures.map(({ code }) => reason(code).rank));
  return [outcome.action === 'close' ? 1 : 0, outcome.grant === undefined ? 1 : 0, rank];
}

function weaker(a: Assurance, b: Assurance): Assurance {
  return ASSURANCES.indexOf(a) < ASSURANCES.indexOf(b) ? a : b;
}
