/** Agreements of a reading that nobody remembers: each goes into octets as soon as it is checked, and is made anew where a check looks at it. */

import type { Agreement, Terms } from '../../trust/agreement/index.js';
import { AGREEMENT, type AgreementInput } from '../agreement/index.js';
import type { PlacedAgreement } from '../claims/index.js';
import type { Site } from '../reading/index.js';
import type { Entries } from '../yaml/index.js';
import { AgreementList } from './agreement-list.js';
import { AgreementsWriter } from './agreement-packer.js';

/** A section that lists agreements. */
export interface ListSection {
  readonly value: Entries;
  readonly site: Site;
}

/** Takes agreements first, and gives them then. */
export class WrittenAgreements {
  #written: AgreementsWriter | AgreementList = new AgreementsWriter();
  #count = 0;

  /** One more, which stands at `at` in a section. @throws {Error} `list` was asked for */
  add(item: Agreement, section: ListSection, at: number): PlacedAgreement {
    if (this.#written instanceof AgreementList) throw new Error('expected all agreements before anybody looks at one');
    this.#written.add(item);
    return new WrittenAgreement(this, this.#count++, section, at, item.sources.length > 0 ? item : undefined);
  }

  get list(): AgreementList {
    if (this.#written instanceof AgreementList) return this.#written;
    const { packed, named } = this.#written.written();
    this.#written = AgreementList.of(packed, named);
    return this.#written;
  }
}

class WrittenAgreement implements PlacedAgreement {
  readonly #all: WrittenAgreements;
  readonly #number: number;
  readonly #section: ListSection;
  readonly #at: number;
  readonly #held: Agreement | undefined;
  #input: (() => AgreementInput) | undefined;

  /** @param held one that is not let go: prefixes, of which there may be a million, would be made anew for each that is told of */
  constructor(all: WrittenAgreements, number: number, section: ListSection, at: number, held: Agreement | undefined) {
    this.#all = all;
    this.#number = number;
    this.#section = section;
    this.#at = at;
    this.#held = held;
  }

  get item(): Agreement {
    return this.#held ?? this.#all.list.anew(this.#number);
  }

  get terms(): Terms {
    return this.#all.list.termsOf(this.#number);
  }

  get site(): Site {
    return this.#section.site.at(this.#at);
  }

  get input(): () => AgreementInput {
    this.#input ??= readAgain(this.#section.value, this.#at);
    return this.#input;
  }
}

/** What stands in an entry, read again where somebody asks: of 100,000 agreements it would be a fifth of the memory. */
export function readAgain(list: Entries, at: number): () => AgreementInput {
  let held: WeakRef<AgreementInput> | undefined;
  return () => {
    const known = held?.deref();
    if (known !== undefined) return known;
    const input = AGREEMENT.parse(list.at(at));
    held = new WeakRef(input);
    return input;
  };
}
