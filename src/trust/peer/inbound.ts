/** Who opened a TLS connection to us: all agreements that the names of the peer belong to are asked. */

import { ranked, reason } from '../../reasons.js';
import { type Agreement, agreementOfName, leastPrivilege, parentOf, type Snapshot } from '../agreement/index.js';
import { agreementChange, type CoverContext, whyNotInForce } from '../cover/index.js';
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
  // What is only monitored changes nothing for the others, nor does what is not in force: both lend the peer nothing.
  const enforced = candidates.filter(({ enforcement }) => enforcement === 'enforce');
  const named = enforced.length > 0 ? enforced : candidates;
  const inForce = named.filter((agreement) => whyNotInForce(agreement, 'tls', context) === undefined);
  // Where none is in force, some of them say so as well as all.
  const counting = inForce.length > 0 ? inForce : named.slice(0, MOST_AGREEMENTS);
  if (counting.length > MOST_AGREEMENTS) {
    trail.fail('agreement', 'ambiguous-peer', tooMany(counting));
    // Of an agreement: what names a partner is never outweighed by its address.
    return untrusted(counting[0], presented.validUntil);
  }
  const [first, ...others] = counting.map((agreement) => judgedAlone(agreement, presented, context));
  if (first === undefined) return untrusted(undefined, presented.validUntil);
  const absent = named.filter((agreement) => !counting.includes(agreement));
  const accused = [first, ...others].some(({ outcome }) => outcome.grant === undefined)
    ? undefined
    : accusedBy(absent, presented, context);
  if (accused !== undefined) others.push(accused);
  for (const { trail: own } of [first, ...others]) trail.checks.push(...own.checks);
  for (const { name } of candidates.filter((agreement) => !named.includes(agreement)).slice(0, MOST_SHOWN)) {
    trail.skip('agreement', `agreement ${name} is only monitored, and another one is enforced`, 'operator policy');
  }
  const outcome = strictest(first, others, trail);
  for (const agreement of absent.slice(0, MOST_SHOWN)) {
    const why = whyNotInForce(agreement, 'tls', context)?.detail;
    trail.note('agreement', 'ambiguous-peer', `the certificate names another agreement that counts as absent: ${why}`);
  }
  const changes = absent.map((agreement) => agreementChange(agreement, context.now));
  return { ...outcome, validUntil: Math.min(outcome.validUntil, ...changes) };
}

/**
 * The first agreement that is not in force and by whose lists the certificate is revoked: that is true of it under every
 * agreement, and is all that such an agreement may say. What cannot be told within the work of one question counts against
 * it, too. Nothing is closed, since an agreement that is not in force refuses nothing.
 */
function accusedBy(absent: readonly Agreement[], presented: Presented, context: CoverContext): JudgedAlone | undefined {
  for (const agreement of absent) {
    if (agreement.mechanism !== 'tls' || agreement.revocation === 'off') continue;
    const looked = new Trail();
    // Whose key or attributes it bears does not matter here.
    presented.cover({ ...agreement, pinned: true, subject: {}, issuer: {} }, { ...context, trail: looked });
    const found = looked.failures.filter(({ code }) => code === 'revoked' || code === 'path-budget');
    if (found.length === 0) continue;
    const trail = new Trail();
    for (const { code, detail } of found) {
      trail.fail('revocation', code, `agreement ${agreement.name}, which is not in force: ${detail}`);
    }
    return { outcome: untrusted(agreement, presented.validUntil), trail };
  }
  return undefined;
}

/** Each once, by name: nothing may depend on the order of the certificate or of the policy. */
export function candidatesOf({ names, wildcards }: Presented, snapshot: Snapshot): readonly Agreement[] {
  const found = new Set([
    ...names.flatMap((name) => agreementOfName(name, snapshot) ?? []),
    ...wildcards.flatMap((suffix) => snapshot.byWildcard.get(suffix) ?? []),
  ]);
  return [...found].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Above any network that is another's too. Anybody can write the names of all partners into a certificate of his own. */
const MOST_AGREEMENTS = 32;

const MOST_SHOWN = 3;

function tooMany(agreements: readonly Agreement[]): string {
  const shown = someOf(agreements.map(({ name }) => name));
  return `expected a certificate with names of at most ${MOST_AGREEMENTS} agreements, found ${agreements.length}: ${shown}`;
}

const someOf = (names: readonly string[]): string => `${names.slice(0, MOST_SHOWN).join(', ')} and more`;

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
  const named = all.map(({ outcome }) => outcome.agreement?.name ?? 'none');
  const names = named.length > 2 * MOST_SHOWN ? someOf(named) : named.join(' and ');
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
  const [one, ...more] = outcomes.flatMap(({ agreement }) => agreement ?? []);
  const agreement = one && more.reduce(leastPrivilege, one);
  const left = agreement === undefined ? '' : `: ${whatAllAllow(agreement)}`;
  trail.note('agreement', 'ambiguous-peer', `agreements ${names} all cover the certificate${left}`);
  return {
    ...worst.outcome,
    assurance: outcomes.map(({ assurance }) => assurance).reduce(weaker),
    agreement,
    domains: outcomes.flatMap(({ domains }) => domains),
    validUntil,
    observes,
    proven,
  };
}

/** Mostly not what somebody expects who has an agreement for each network behind a hub. */
function whatAllAllow({ asserts, interconnect }: Agreement): string {
  const domains = asserts.domains.toSorted();
  const some = domains.length > MOST_SHOWN ? someOf(domains) : domains.join(' and ');
  const may = asserts.transit ? 'any domain but ours' : some || 'no domain';
  return `what one does not allow is not allowed (P-Asserted-Identity may bear ${may}; interconnect ${interconnect})`;
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
