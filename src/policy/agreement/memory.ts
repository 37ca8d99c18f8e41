/**
 * What is remembered of the policy that was read last: files that have not changed are neither read nor checked again. What
 * is remembered is taken only for what the same file would say again, by its stamp, and of agreements only where nothing
 * that their check looked at has changed: defaults, certificates, and what the time makes of their ends.
 */

import type { Agreement } from '../../trust/agreement/index.js';
import type { FileMemory } from '../material/index.js';
import { type PolicyFiles, Problems, type Said, type Site } from '../reading/index.js';
import type { AgreementInput } from './keys.js';

/** An agreement as it was checked, where it stands, and what the check rested on. */
export interface CheckedAgreement {
  readonly item: Agreement;
  readonly input: () => AgreementInput;
  readonly site: Site;
  readonly said: readonly Said[];
  readonly rests: Rests;
}

export interface Rests {
  /** What agreements get that say nothing themselves, as text. */
  readonly defaults: string;
  /** What each file of certificates or CRLs gave. */
  readonly material: ReadonlyMap<string, unknown>;
  /** How the ends of the agreement and of its certificates stood. */
  readonly ends: string;
}

interface Remembered {
  readonly stamp: string;
  readonly value: unknown;
}

/** What the reading before gave, by file and by agreement. */
export class PolicyMemory implements FileMemory {
  /** By kind, then by path. */
  #files = new Map<string, Map<string, Remembered>>();
  #next = new Map<string, Map<string, Remembered>>();
  readonly #agreements = new WeakMap<object, readonly (CheckedAgreement | undefined)[]>();
  /** Of whoever checks with this memory: places that are remembered report here. */
  readonly problems = new Problems();

  /** What `make` made of a file, now or as long as the file has been the same. Nothing is kept without a stamp. */
  file<T>(
    files: PolicyFiles,
    kind: string,
    path: string,
    make: () => { readonly value: T; readonly stamp?: string },
  ): T {
    const known = this.#files.get(kind)?.get(path);
    if (known !== undefined && files.stamp?.(path) === known.stamp) {
      this.#remember(kind, path, known);
      return known.value as T;
    }
    const { value, stamp } = make();
    if (stamp !== undefined) this.#remember(kind, path, { stamp, value });
    return value;
  }

  #remember(kind: string, path: string, remembered: Remembered): void {
    const ofKind = this.#next.get(kind);
    if (ofKind === undefined) this.#next.set(kind, new Map([[path, remembered]]));
    else ofKind.set(path, remembered);
  }

  /** The checks of the agreements that the entries of this list of a file became, in their order. */
  agreements(list: object): readonly (CheckedAgreement | undefined)[] | undefined {
    return this.#agreements.get(list);
  }

  keep(list: object, checked: readonly (CheckedAgreement | undefined)[]): void {
    this.#agreements.set(list, checked);
  }

  /** Ends one reading: what was not asked for in it is forgotten. */
  settle(): void {
    this.#files = this.#next;
    this.#next = new Map();
  }

  /** Files of a kind that are remembered. */
  count(kind: string): number {
    return this.#files.get(kind)?.size ?? 0;
  }
}
