/** Source prefixes that agreements on one interface claim against each other. */

import { type AddressPrefix, PrefixList, parsePrefix } from '../../net/address/index.js';
import { entryAt, present } from '../../typed.js';
import { pathSite } from '../agreement/index.js';
import { formatPlace, type Site } from '../reading/index.js';
import { entrySite } from '../values/index.js';
import type { PlacedAgreement } from './claims.js';

/**
 * One prefix on one interface belongs to one agreement. A prefix inside another's is legal, and the longer one wins;
 * it is worth a warning, because the wider network does not get what its agreement says.
 */
export function checkSources(agreements: readonly PlacedAgreement[]): void {
  const byInterface = new Map<string, PlacedAgreement[]>();
  for (const by of agreements) {
    const on = by.terms.interface;
    if (on === undefined) continue;
    const known = byInterface.get(on);
    if (known === undefined) byInterface.set(on, [by]);
    else known.push(by);
  }
  for (const on of byInterface.values()) {
    const claims = new SourceClaims(on);
    // Sorted by address, wider first: what holds a prefix stands before it, and an open stack holds what still may.
    const open: number[] = [];
    for (const claim of claims.sorted()) {
      let wider = open.at(-1);
      while (wider !== undefined && !claims.holds(wider, claim)) {
        open.pop();
        wider = open.at(-1);
      }
      if (wider !== undefined && claims.by(wider) !== claims.by(claim)) reportOverlap(claims, claim, wider);
      open.push(claim);
    }
  }
}

/** The prefixes of all agreements on one interface by number, in a few octets each: a million as objects take 900 MB. */
class SourceClaims {
  readonly #agreements: readonly PlacedAgreement[];
  /** As PrefixList has them: the length, and above it the family. */
  readonly #kinds: Uint16Array;
  readonly #octets: Uint8Array;
  readonly #offsets: Uint32Array;
  readonly #owners: Uint32Array;

  constructor(agreements: readonly PlacedAgreement[]) {
    const lists = agreements.map(
      ({ item: { sources } }) => (sources instanceof PrefixList ? sources : PrefixList.of([...sources])).parts,
    );
    const count = lists.reduce((sum, { kinds }) => sum + kinds.length, 0);
    this.#agreements = agreements;
    this.#kinds = new Uint16Array(count);
    this.#octets = new Uint8Array(lists.reduce((sum, { octets }) => sum + octets.length, 0));
    this.#offsets = new Uint32Array(count);
    this.#owners = new Uint32Array(count);
    let [claim, offset] = [0, 0];
    for (const [owner, { kinds, octets }] of lists.entries()) {
      this.#octets.set(octets, offset);
      for (const kind of kinds) {
        this.#kinds[claim] = kind;
        this.#offsets[claim] = offset;
        this.#owners[claim] = owner;
        claim += 1;
        offset += width(kind);
      }
    }
  }

  /** A network before what lies in it; of equal prefixes the first in the policy first. */
  sorted(): Uint32Array {
    const all = Uint32Array.from(this.#kinds.keys());
    return all.sort((a, b) => this.#compare(a, b));
  }

  by(claim: number): PlacedAgreement {
    return entryAt(this.#agreements, this.#owners[claim] ?? -1);
  }

  /** Made anew: they are few that are told of. */
  prefix(claim: number): AddressPrefix {
    const [kind, offset] = [this.#kinds[claim] ?? 0, this.#offsets[claim] ?? 0];
    const octets = this.#octets.slice(offset, offset + width(kind));
    const [prefix] = PrefixList.restore({ kinds: Uint16Array.of(kind), octets });
    return present(prefix, 'a prefix of its own octets');
  }

  /** Whether one prefix lies in another, or is the same. */
  holds(wider: number, narrower: number): boolean {
    const [outer, inner] = [this.#kinds[wider] ?? 0, this.#kinds[narrower] ?? 0];
    if (width(outer) !== width(inner) || length(outer) > length(inner)) return false;
    const whole = length(outer) >> 3;
    for (let at = 0; at < whole; at += 1) if (this.#octet(wider, at) !== this.#octet(narrower, at)) return false;
    const mask = 0xff00 >> (length(outer) & 7);
    return ((this.#octet(wider, whole) ^ this.#octet(narrower, whole)) & mask & 0xff) === 0;
  }

  same(a: number, b: number): boolean {
    return this.#kinds[a] === this.#kinds[b] && this.holds(a, b);
  }

  #compare(a: number, b: number): number {
    const [one, other] = [this.#kinds[a] ?? 0, this.#kinds[b] ?? 0];
    if (width(one) !== width(other)) return width(one) - width(other);
    for (let at = 0; at < width(one); at += 1) {
      const difference = this.#octet(a, at) - this.#octet(b, at);
      if (difference !== 0) return difference;
    }
    return length(one) - length(other) || a - b;
  }

  #octet(claim: number, at: number): number {
    return this.#octets[(this.#offsets[claim] ?? 0) + at] ?? 0;
  }
}

/** Octets of a prefix of a kind. */
function width(kind: number): number {
  return kind < 0x100 ? 4 : 16;
}

function length(kind: number): number {
  return kind & 0xff;
}

function reportOverlap(claims: SourceClaims, claim: number, wider: number): void {
  const [by, other] = [claims.by(claim), claims.by(wider)];
  const [prefix, outer] = [claims.prefix(claim), claims.prefix(wider)];
  const there = `agreement ${other.item.name}, at ${formatPlace(sourceSite(outer, other).place())}`;
  if (claims.same(claim, wider)) {
    const text = `${prefix.text} on interface ${by.item.interface} is claimed already by ${there}`;
    sourceSite(prefix, by).report('duplicate-source', text);
  } else {
    const text = `${prefix.text} lies in ${outer.text} of ${there}; the longer prefix wins`;
    sourceSite(prefix, by).report('overlapping-source', text);
  }
}

function sourceSite({ text: wanted }: AddressPrefix, { item, input, site }: PlacedAgreement): Site {
  const said = input();
  const texts = (said.mechanism === 'tls' ? said.migration : said)?.sources ?? [];
  return entrySite(pathSite(item, site).at('sources'), texts, wanted, (text) => {
    const read = parsePrefix(text);
    return 'invalid' in read ? undefined : read.text;
  });
}
