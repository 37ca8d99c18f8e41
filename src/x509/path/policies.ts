/**
 * Certificate policies (RFC 5280 §6.1.2 (a), §6.1.3 (d)-(f), §6.1.4 (a), (b), (h)-(j), §6.1.5 (a), (b), (g)).
 *
 * The user-initial-policy-set is any-policy, so all that the outcome needs of the policy tree is whether its last level
 * holds a node. One level at a time is kept, one node per policy, as in the policy graph of RFC 9618: the tree of
 * RFC 5280 grows exponentially with mappings (CVE-2023-0464).
 */

import { type Budget, type CertificateFacts, certificateName } from '../certificate/index.js';
import { listed } from './path-end.js';

const ANY_POLICY = '2.5.29.32.0';

/** Microseconds for a policy, a mapping or a node of the level before. */
const COST = 0.5;

/** valid_policy -> expected_policy_set of the nodes of one level. */
type Level = Map<string, ReadonlySet<string>>;

/** The policy part of the state of §6.1.2, driven by one call per certificate from the anchor down. */
export class PolicyState {
  readonly #budget: Budget;

  /** undefined: the tree is NULL. */
  #level: Level | undefined = new Map([[ANY_POLICY, new Set([ANY_POLICY])]]);
  /** Why the tree became NULL. */
  #end = (): string => '';
  #explicitPolicy: number;
  /** The name of the certificate that has the last word on `#explicitPolicy`. */
  #demandedBy = '';
  #policyMapping: number;
  #inhibitAnyPolicy: number;

  /** `length`: certificates of the path without the anchor. */
  constructor(length: number, budget: Budget) {
    this.#budget = budget;

    this.#explicitPolicy = length + 1;
    this.#policyMapping = length + 1;
    this.#inhibitAnyPolicy = length + 1;
  }

  /**
   * What a constrained anchor demands of the path (RFC 5937 §3.2): its policies are the user-initial-policy-set, which
   * the nodes below the root must be of (RFC 5280 §6.1.5 (g)(iii) comes to the same), its constraints the initial
   * indicators. Mappings are no part of that: they are for a CA below another one.
   */
  constrain(anchor: CertificateFacts): void {
    const { policies } = anchor;
    if (policies !== undefined && !policies.includes(ANY_POLICY)) {
      this.#budget.spend('policies', policies.length * COST);
      this.#level = new Map(policies.map((policy) => [policy, new Set([policy])]));
    }
    this.#tighten(anchor);
  }

  /** §6.1.3 (d)-(f): why the certificate leaves no valid policy, or undefined. */
  enter(certificate: CertificateFacts, isLeaf: boolean): string | undefined {
    const { policies } = certificate;
    this.#budget.spend('policies', COST + ((policies?.length ?? 0) + (this.#level?.size ?? 0)) * COST);
    if (this.#level !== undefined) {
      const anyAllowed = this.#inhibitAnyPolicy > 0 || (!isLeaf && certificate.selfIssued);
      const above = this.#level;
      this.#level = policies && nextLevel(above, policies, anyAllowed);
      if (this.#level === undefined) this.#end = () => endText(certificate, above);
    }
    return this.#explicitPolicy > 0 ? undefined : this.#missing();
  }

  /** §6.1.4 (a), (b), (h)-(j): prepares for the certificate below; why the mappings are wrong, or undefined. */
  leave(certificate: CertificateFacts): string | undefined {
    const problem = this.#map(certificate);
    if (problem !== undefined) return problem;
    if (!certificate.selfIssued) {
      this.#explicitPolicy = Math.max(0, this.#explicitPolicy - 1);
      this.#policyMapping = Math.max(0, this.#policyMapping - 1);
      this.#inhibitAnyPolicy = Math.max(0, this.#inhibitAnyPolicy - 1);
    }
    this.#tighten(certificate);
    return undefined;
  }

  /** §6.1.5 (a), (b), (g): the wrap-up with the leaf. */
  finish(leaf: CertificateFacts): string | undefined {
    this.#explicitPolicy = Math.max(0, this.#explicitPolicy - 1);
    if (leaf.policyConstraints?.requireExplicitPolicy === 0) this.#demand(leaf, 0);
    return this.#explicitPolicy > 0 ? undefined : this.#missing();
  }

  #missing(): string | undefined {
    return this.#level === undefined
      ? `expected a certificate policy valid along the path, as ${this.#demandedBy} asks for (requireExplicitPolicy), found none: ${this.#end()}`
      : undefined;
  }

  #demand(certificate: CertificateFacts, skip: number): void {
    if (skip >= this.#explicitPolicy) return;
    this.#explicitPolicy = skip;
    this.#demandedBy = certificateName(certificate);
  }

  #tighten(certificate: CertificateFacts): void {
    const { policyConstraints, inhibitAnyPolicy } = certificate;
    this.#demand(certificate, policyConstraints?.requireExplicitPolicy ?? Number.POSITIVE_INFINITY);
    this.#policyMapping = Math.min(
      this.#policyMapping,
      policyConstraints?.inhibitPolicyMapping ?? Number.POSITIVE_INFINITY,
    );
    this.#inhibitAnyPolicy = Math.min(this.#inhibitAnyPolicy, inhibitAnyPolicy ?? Number.POSITIVE_INFINITY);
  }

  #map(certificate: CertificateFacts): string | undefined {
    const mappings = certificate.policyMappings ?? [];
    this.#budget.spend('policies', mappings.length * COST);
    if (mappings.some(({ issuer, subject }) => issuer === ANY_POLICY || subject === ANY_POLICY)) {
      return 'expected policyMappings between named policies, found anyPolicy in one';
    }
    const level = this.#level;
    if (level === undefined || mappings.length === 0) return undefined;
    const targets = new Map<string, Set<string>>();
    for (const { issuer, subject } of mappings) {
      const known = targets.get(issuer);
      if (known === undefined) targets.set(issuer, new Set([subject]));
      else known.add(subject);
    }
    for (const [policy, expected] of targets) {
      if (this.#policyMapping === 0) level.delete(policy);
      else if (level.has(policy) || level.has(ANY_POLICY)) level.set(policy, expected);
    }
    if (level.size > 0) return undefined;
    this.#level = undefined;
    const who = certificateName(certificate);
    this.#end = () => `${who} maps the last one to another, and a CA above it forbids that (inhibitPolicyMapping)`;
    return undefined;
  }
}

/** §6.1.3 (d) (1), (2): the nodes of the next level; undefined: none, so that the tree is NULL. */
function nextLevel(level: Level, policies: readonly string[], anyAllowed: boolean): Level | undefined {
  const expected = new Set<string>();
  for (const set of level.values()) for (const policy of set) expected.add(policy);
  const next: Level = new Map();
  for (const policy of policies) {
    if (policy === ANY_POLICY) continue;
    if (expected.has(policy) || level.has(ANY_POLICY)) next.set(policy, new Set([policy]));
  }
  if (anyAllowed && policies.includes(ANY_POLICY)) {
    for (const policy of expected) if (!next.has(policy)) next.set(policy, new Set([policy]));
  }
  return next.size > 0 ? next : undefined;
}

/** Why no policy is left below a certificate: what it has, and what is valid above it. */
function endText(certificate: CertificateFacts, level: Level): string {
  const { policies } = certificate;
  const found = policies === undefined ? 'no certificatePolicies' : policiesText(policies);
  return `${certificateName(certificate)} has ${found}, valid above it: ${policiesText([...level.values()].flatMap((set) => [...set]))}`;
}

const policiesText = (policies: readonly string[]): string =>
  listed(policies.map((policy) => (policy === ANY_POLICY ? 'anyPolicy' : policy)));
