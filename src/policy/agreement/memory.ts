/**
 * What is remembered of the policy that was read last: files that have not changed are neither read nor checked again. What
 * is remembered is taken only for what the same file would say again, by its stamp, or the same lines of it, and of agreements only
 * where nothing that their check looked at has changed: defaults, certificates, and what the time makes of their ends.
 */

import type { Agreement, Terms } from '../../trust/agreement/index.js';
import type { FileMemory } from '../material/index.js';
import { expandGlob, type PolicyFiles, Problems, type Said, type Site, sameList } from '../reading/index.js';
import { type Entries, EntryList } from '../yaml/index.js';
import type { AgreementInput } from './keys.js';

/** An agreement as it was checked, where it stands, and what the check rested on. */
export interface CheckedAgreement {
  readonly item: Agreement;
  readonly terms: Terms;
  readonly input: () => AgreementInput;
  readonly site: Site;
  readonly said: readonly Said[];
  readonly rests: Rests;
}

/** One for all agreements of a reading that name the same files, for as much, and end at the same time: it stands for all, or for none. */
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
  /** The reading that asked for it last. */
  reading: number;
}

/** What a pattern matched, and the directories that were listed for it. */
interface Expanded {
  readonly found: readonly string[];
  readonly lists: ReadonlyMap<string, readonly string[] | undefined>;
  /** As above. */
  reading: number;
}

interface KnownList {
  readonly list: Entries;
  readonly checks: (CheckedAgreement | undefined)[];
  /** As above. */
  reading: number;
}

/** The checks of the agreements that the entries of a list became. */
export interface KnownAgreements {
  /** In the order of the list, to be read and written. */
  readonly checks: (CheckedAgreement | undefined)[];
  /** Of a file that has changed: by what the entry says, those of which nothing was said. What is said names a place. */
  readonly alike: ReadonlyMap<string, CheckedAgreement>;
}

const MOST_ENTRIES = 50_000;

const NONE: ReadonlyMap<string, CheckedAgreement> = new Map();

function byText({ list, checks }: KnownList): ReadonlyMap<string, CheckedAgreement> {
  const found = new Map<string, CheckedAgreement>();
  if (!(list instanceof EntryList)) return found;
  for (const [at, check] of checks.entries()) if (check?.said.length === 0) found.set(list.text(at), check);
  return found;
}

/**
 * What the reading before gave, by file and by agreement. What stays is neither copied nor made anew: of thousands of files
 * that would be most of the work of a reading, and of its collector's.
 */
export class PolicyMemory implements FileMemory {
  /** By kind, then by path. */
  readonly #files = new Map<string, Map<string, Remembered>>();
  /** By the file in which they are listed. */
  readonly #agreements = new Map<string, KnownList>();
  readonly #expanded = new Map<string, Expanded>();
  #reading = 1;
  /** Of whoever checks with this memory: places that are remembered report here. */
  readonly problems: Problems;

  /** Of agreements that one file lists: of more, what was checked and what it rests on is worth more memory than the time. */
  readonly mostEntries: number;

  constructor(problems = new Problems(), mostEntries = MOST_ENTRIES) {
    this.problems = problems;
    this.mostEntries = mostEntries;
  }

  /** What `make` made of a file, now or as long as the file has been the same. Nothing is kept without a stamp. */
  file<T>(
    files: PolicyFiles,
    kind: string,
    path: string,
    make: () => { readonly value: T; readonly stamp?: string },
  ): T {
    const known = this.#files.get(kind)?.get(path);
    if (known !== undefined && files.stamp?.(path) === known.stamp) {
      known.reading = this.#reading;
      return known.value as T;
    }
    const { value, stamp } = make();
    if (stamp !== undefined) this.#remember(kind, path, { stamp, value, reading: this.#reading });
    return value;
  }

  #remember(kind: string, path: string, remembered: Remembered): void {
    const ofKind = this.#files.get(kind);
    if (ofKind === undefined) this.#files.set(kind, new Map([[path, remembered]]));
    else ofKind.set(path, remembered);
  }

  /**
   * As `expandGlob`: the same list as long as its directories hold the same. Beside it, why directories that it would have
   * looked into cannot be read.
   */
  expand(
    pattern: string,
    files: PolicyFiles,
  ): { readonly found: readonly string[]; readonly problems: readonly string[] } {
    const { found, lists } = this.#expansion(pattern, files);
    const unread = [...lists].filter(([, names]) => names === undefined);
    return { found, problems: unread.flatMap(([directory]) => files.unlisted?.(directory) ?? []) };
  }

  #expansion(pattern: string, files: PolicyFiles): Expanded {
    const known = this.#expanded.get(pattern);
    if (known !== undefined && [...known.lists].every(([directory, names]) => sameList(files.list(directory), names))) {
      known.reading = this.#reading;
      return known;
    }
    const lists = new Map<string, readonly string[] | undefined>();
    const list = (directory: string) => {
      const names = files.list(directory);
      lists.set(directory, names);
      return names;
    };
    const found = expandGlob(pattern, { list });
    const expanded = { found, lists, reading: this.#reading };
    this.#expanded.set(pattern, expanded);
    return expanded;
  }

  /** What is known of the agreements that this file lists. */
  agreements(list: Entries, file: string): KnownAgreements {
    const known = this.#agreements.get(file);
    if (known?.list === list) {
      known.reading = this.#reading;
      return { checks: known.checks, alike: NONE };
    }
    const checks = new Array<CheckedAgreement | undefined>(list.length);
    this.#agreements.set(file, { list, checks, reading: this.#reading });
    return { checks, alike: known === undefined ? NONE : byText(known) };
  }

  /** Ends one reading: what was not asked for in it is forgotten. */
  settle(): void {
    for (const all of [...this.#files.values(), this.#expanded, this.#agreements]) {
      all.forEach(({ reading }, of) => {
        if (reading !== this.#reading) all.delete(of);
      });
    }
    this.#reading += 1;
  }

  /** Policy files that are remembered. */
  get files(): number {
    return ['main', 'included'].reduce((sum, kind) => sum + (this.#files.get(kind)?.size ?? 0), 0);
  }

  /** Entries of lists of agreements that are remembered. */
  get entries(): number {
    return [...this.#agreements.values()].reduce((sum, { checks }) => sum + checks.length, 0);
  }
}
