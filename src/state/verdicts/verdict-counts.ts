/** How many verdicts of each kind were given, by agreement. */

/** Stands for peers that no agreement names, and for agreements beyond the bound: no agreement can have this name. */
export const OTHER = '(other)';
/** Agreements that are counted by name, those first that were met first. */
const MOST_AGREEMENTS = 2000;

export interface VerdictCount {
  readonly agreement: string;
  readonly direction: string;
  readonly verdict: string;
  /** Code of the first reason; empty: none. */
  readonly reason: string;
  readonly count: number;
}

type Kind = Omit<VerdictCount, 'agreement' | 'count'>;

/** Verdicts by agreement, direction and reason, bounded in series. */
export class VerdictCounts {
  readonly #byAgreement = new Map<string, Map<string, { readonly kind: Kind; count: number }>>();

  add(agreement: string | undefined, direction: string, verdict: string, reason = ''): void {
    const counts = this.#of(agreement ?? OTHER);
    const name = `${direction} ${verdict} ${reason}`;
    const known = counts.get(name);
    if (known === undefined) counts.set(name, { kind: { direction, verdict, reason }, count: 1 });
    else known.count += 1;
  }

  *[Symbol.iterator](): Generator<VerdictCount> {
    for (const [agreement, counts] of this.#byAgreement) {
      for (const { kind, count } of counts.values()) yield { agreement, ...kind, count };
    }
  }

  #of(agreement: string): Map<string, { readonly kind: Kind; count: number }> {
    const known = this.#byAgreement.get(agreement);
    if (known !== undefined) return known;
    if (agreement !== OTHER && this.#byAgreement.size >= MOST_AGREEMENTS) return this.#of(OTHER);
    const fresh = new Map<string, { readonly kind: Kind; count: number }>();
    this.#byAgreement.set(agreement, fresh);
    return fresh;
  }
}
