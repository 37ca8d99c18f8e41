/**
 * What agreements claim against each other, kept from one reading to the next where nothing was wrong with it: names, domains,
 * what a path asserts, targets. Then only the claims of agreements that came or went are looked at. Whatever might be worth a
 * word is left to the checks of all, which say it.
 */

import { type Agreement, targetKey } from '../../trust/agreement/index.js';
import type { Site } from '../reading/index.js';
import { checkClaims, type PlacedAgreement } from './claims.js';

/** Of each memory of readings what is known of claims. */
const known = new WeakMap<object, KnownClaims>();

/** What is known to the memory of these readings. */
export function claimsKnownTo(memory: object): KnownClaims {
  const claims = known.get(memory) ?? new KnownClaims();
  known.set(memory, claims);
  return claims;
}

/** The claims of the reading before, where nothing was said of them. */
export class KnownClaims {
  #agreements: readonly Agreement[] = [];
  #own: ReadonlySet<string> = new Set();
  /** undefined: something was said of them, or nothing is known yet. */
  #claims: Claims | undefined;

  /**
   * As `checkClaims`.
   * @param said does some checks, and tells whether they said anything
   */
  check(
    agreements: readonly PlacedAgreement[],
    own: ReadonlyMap<string, Site>,
    said: (checks: () => void) => boolean,
  ): void {
    const items = agreements.map(({ item }) => item);
    if (this.#stands(items, own)) return;
    const anything = said(() => checkClaims(agreements, own));
    this.#claims = anything ? undefined : claimsOf(items, own);
    this.#agreements = items;
    this.#own = new Set(own.keys());
  }

  /** Whether the checks of all would say nothing, as they did before. */
  #stands(agreements: readonly Agreement[], own: ReadonlyMap<string, Site>): boolean {
    const claims = this.#claims;
    if (claims === undefined || own.size !== this.#own.size || ![...own.keys()].every((each) => this.#own.has(each))) {
      return false;
    }
    const { gone, come } = change(this.#agreements, agreements);
    for (const agreement of gone) claims.leave(agreement);
    this.#agreements = agreements;
    return come.every((agreement) => claims.enter(agreement, own));
  }
}

/** Undefined where agreements are not as good as they were found to be. */
function claimsOf(agreements: readonly Agreement[], own: ReadonlyMap<string, Site>): Claims | undefined {
  const claims = new Claims();
  return agreements.every((agreement) => claims.enter(agreement, own)) ? claims : undefined;
}

/** Claims of agreements none of which meets another. */
class Claims {
  readonly #names = new Set<string>();
  readonly #domains = new Map<string, Agreement['mechanism']>();
  /** Domains that paths may assert, and how many of them may. */
  readonly #lent = new Map<string, number>();
  readonly #targets = new Set<string>();

  /** Enters one more; false, and all that is known is of no use any more, where it may meet another or what is ours. */
  enter(agreement: Agreement, own: ReadonlyMap<string, Site>): boolean {
    const { name, domains, mechanism, targets, asserts, interconnect } = agreement;
    if (!added(this.#names, name.toLowerCase())) return false;
    for (const domain of domains) {
      if (this.#domains.has(domain) || (own.has(domain) && interconnect !== 'loopback')) return false;
      if (mechanism === 'tls' && this.#lent.has(domain)) return false;
      this.#domains.set(domain, mechanism);
    }
    if (interconnect !== 'roaming' && interconnect !== 'loopback') {
      if ([...asserts.domains, ...(asserts.hosts ?? [])].some((each) => own.has(each))) return false;
    }
    for (const domain of lentBy(agreement)) {
      if (this.#domains.get(domain) === 'tls') return false;
      this.#lent.set(domain, (this.#lent.get(domain) ?? 0) + 1);
    }
    return targets.every((target) => added(this.#targets, targetKey(target)));
  }

  leave(agreement: Agreement): void {
    this.#names.delete(agreement.name.toLowerCase());
    for (const domain of agreement.domains) this.#domains.delete(domain);
    for (const target of agreement.targets) this.#targets.delete(targetKey(target));
    for (const domain of lentBy(agreement)) {
      const left = (this.#lent.get(domain) ?? 0) - 1;
      if (left > 0) this.#lent.set(domain, left);
      else this.#lent.delete(domain);
    }
  }
}

function lentBy({ mechanism, asserts }: Agreement): readonly string[] {
  return mechanism === 'nds-ip' ? asserts.domains : [];
}

function added(set: Set<string>, value: string): boolean {
  if (set.has(value)) return false;
  set.add(value);
  return true;
}

/** What is in one list and not in the other, by the objects: those that did not change stay the same. */
function change(before: readonly Agreement[], after: readonly Agreement[]) {
  let begin = 0;
  while (begin < before.length && before[begin] === after[begin]) begin += 1;
  let [end, afterEnd] = [before.length, after.length];
  while (end > begin && afterEnd > begin && before[end - 1] === after[afterEnd - 1]) {
    end -= 1;
    afterEnd -= 1;
  }
  const stayed = new Set(before.slice(begin, end));
  const come = after.slice(begin, afterEnd).filter((each) => !stayed.delete(each));
  return { gone: [...stayed], come };
}
