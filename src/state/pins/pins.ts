import type { Logger } from '../../log/index.js';
import { type ApprovedPins, NO_APPROVED_PINS } from '../../trust/cover/index.js';
import { type CertificateFacts, certificateName } from '../../x509/certificate/index.js';
import { atOnce } from '../../x509/der/index.js';
import { sipIdentities } from '../../x509/identity/index.js';
import type { Pin, PinKey, PinNews, Store, Stored } from '../store/index.js';
import type { Counters } from '../verdicts/index.js';
import { sortedInSteps } from '../work/index.js';
import { type Held, HeldPins, nameOf } from './held-pins.js';
import { PinWriter } from './pin-writer.js';
import { startOf } from './start-of.js';

/** A certificate may be 64 KiB of names; no more of one is kept. */
const MOST_SUBJECT = 512;
/** Pins looked at in one step of a list. */
const STEP = 1000;
const MOST_IDENTITIES = 16;

export interface PinsOptions {
  /** Most pins that are kept, observed and approved together. */
  readonly most: number;
  readonly clock: () => number;
  readonly log: Pick<Logger, 'warn' | 'info'>;
}

/**
 * The pins: keys that were seen in good handshakes, and which of them an operator approved. All of them are in memory;
 * the store has what was approved before the approval is acknowledged, and what was observed a little later.
 */
export class Pins {
  readonly #held = new HeldPins();
  readonly #writer: PinWriter;
  readonly #options: PinsOptions;
  readonly #floor: number;
  #approved: ApprovedPins = NO_APPROVED_PINS;
  #counters: Counters | undefined;
  #changed: () => void = () => {};
  #isFull = false;

  /** @param store where changes are written; undefined: nowhere */
  constructor(stored: Stored, store: Store | undefined, options: PinsOptions) {
    this.#writer = new PinWriter(store, { find: (name) => this.#held.find(name), log: options.log });
    this.#options = options;
    this.#floor = stored.revision;
    for (const pin of stored.pins) this.#hold({ ...pin });
    this.#makeRoom(options.most);
    this.#approved = this.#held.approvedKeys;
    store?.followPins?.((news) => this.#adopt(news));
  }

  /** @throws {StoreError} */
  static async open(store: Store, options: PinsOptions): Promise<Pins> {
    return new Pins(await store.load(), store, options);
  }

  /** @param changed called when what is approved has changed: it is in force then */
  start(counters: Counters, changed: () => void): void {
    this.#counters = counters;
    this.#changed = changed;
    this.#writer.start(counters);
  }

  /** Approved keys by agreement; another object after each change. */
  get approved(): ApprovedPins {
    return this.#approved;
  }

  /** Revisions of earlier runs were no greater than this. */
  get revisionFloor(): number {
    return this.#floor;
  }

  /** Whether the last write failed; it is tried again. */
  get failing(): boolean {
    return this.#writer.failing;
  }

  sizes(): { readonly observed: number; readonly approved: number } {
    return this.#held.sizes;
  }

  /** Copies of the pins, of one agreement or of all: by agreement, the ones seen last first. */
  list(agreement?: string): readonly Pin[] {
    return atOnce(this.listInSteps(agreement));
  }

  /** As `list`. Yields now and then. */
  *listInSteps(agreement?: string): Generator<undefined, readonly Pin[]> {
    // What is seen meanwhile moves to the end, and would be met again.
    const found: Pin[] = [];
    for (const [at, pin] of this.#held.all.entries()) {
      if (agreement === undefined || pin.agreement === agreement) found.push({ ...pin });
      if (at % STEP === STEP - 1) yield;
    }
    return yield* sortedInSteps(found, byAgreement);
  }

  /** How many pins were observed with agreements of which this says yes, and nobody has approved. Yields now and then. */
  *waitingInSteps(asks: (agreement: string) => boolean): Generator<undefined, number> {
    let [waiting, looked] = [0, 0];
    for (const { agreement, approvedAt } of this.#held.all) {
      if (approvedAt === undefined) waiting += Number(asks(agreement));
      looked += 1;
      if (looked % STEP === 0) yield;
    }
    return waiting;
  }

  find(key: PinKey): Pin | undefined {
    const pin = this.#held.find(nameOf(key));
    return pin && { ...pin };
  }

  /** Notes that a certificate was seen in a good handshake. Costs two look-ups: nothing waits for the store. */
  observe(agreement: string, leaf: CertificateFacts): void {
    const { spkiSha256 } = leaf;
    const name = nameOf({ agreement, spkiSha256 });
    const known = this.#held.find(name);
    const now = this.#options.clock();
    if (known === undefined) {
      if (!this.#makeRoom(this.#options.most - 1)) {
        this.#refuse(agreement);
        return;
      }
      const seen = { agreement, spkiSha256, firstSeen: now, lastSeen: now, count: 1 };
      this.#held.put({ ...seen, ...certificateOf(leaf), approvedAt: undefined });
      this.#counters?.add('pins.observed');
    } else {
      known.lastSeen = now;
      known.count += 1;
      if (known.certificateSha256 !== leaf.sha256) Object.assign(known, certificateOf(leaf));
      else known.notBefore = leaf.notBefore;
      this.#held.sawAgain(name);
    }
    this.#writer.saw(name);
  }

  /**
   * Approves pins that were observed; those that are approved already stay as they are. Once it is settled it holds for
   * all verdicts from then on, and outlives a crash.
   * @throws {StoreError} nothing was approved
   */
  approve(keys: readonly PinKey[]): Promise<void> {
    return this.#writer.alone(async (store) => {
      const approvedAt = this.#options.clock();
      const pins = keys
        .flatMap((key) => this.#held.find(nameOf(key)) ?? [])
        .filter((pin) => pin.approvedAt === undefined);
      if (pins.length === 0) return;
      await store?.save({ approve: pins.map((pin) => ({ ...pin, approvedAt })) });
      for (const pin of pins) {
        pin.approvedAt = approvedAt;
        this.#hold(pin);
      }
      this.#putInForce();
    });
  }

  /**
   * Removes pins, observed or approved; as for `approve`. A key that is seen again is observed again.
   * @throws {StoreError} nothing was removed
   */
  drop(keys: readonly PinKey[]): Promise<void> {
    return this.#writer.alone(async (store) => {
      await store?.save({ remove: keys });
      this.#isFull = false;
      if (this.#remove(keys)) this.#putInForce();
    });
  }

  /** Writes what is not written yet and closes the store. */
  close(): Promise<void> {
    return this.#writer.close();
  }

  /** Takes over what others have approved, dropped or seen, all of it in this turn. */
  #adopt({ pins, removed }: PinNews): void {
    const approved = pins.map((pin) => this.#hold(this.#merged(pin))).includes(true);
    const dropped = this.#remove(removed);
    this.#makeRoom(this.#options.most);
    if (approved || dropped) this.#putInForce();
  }

  /** A pin with what is known of it here. */
  #merged(pin: Pin): Held {
    const known = this.#held.find(nameOf(pin));
    if (known === undefined) return { ...pin };
    const seenLast = pin.lastSeen >= known.lastSeen ? pin : { ...known };
    return Object.assign(known, {
      ...seenLast,
      notBefore: seenLast.certificateSha256 === known.certificateSha256 ? known.notBefore : undefined,
      count: Math.max(known.count, pin.count),
      firstSeen: Math.min(known.firstSeen, pin.firstSeen),
      lastSeen: Math.max(known.lastSeen, pin.lastSeen),
      approvedAt: pin.approvedAt,
    });
  }

  /** Holds a pin that the store has. Whether it is approved that was not, or the other way round. */
  #hold(pin: Held): boolean {
    this.#writer.has(nameOf(pin), pin);
    return this.#held.put(pin);
  }

  /** Lets go of pins that the store has removed. Whether one of them was approved. */
  #remove(keys: readonly PinKey[]): boolean {
    const names = keys.map(nameOf);
    for (const name of names) this.#writer.removed(name);
    return names.map((name) => this.#held.remove(name)).includes(true);
  }

  #putInForce(): void {
    this.#approved = this.#held.approvedKeys;
    this.#changed();
  }

  /** Lets observed pins go until there are no more than `most`; whether that was enough. */
  #makeRoom(most: number): boolean {
    for (const [name, pin] of this.#held.makeRoom(most)) {
      this.#writer.letGo(name, pin);
      this.#counters?.add('pins.evicted');
    }
    const { observed, approved } = this.#held.sizes;
    return observed + approved <= most;
  }

  #refuse(agreement: string): void {
    this.#counters?.add('pins.refused');
    if (this.#isFull) return;
    this.#isFull = true;
    this.#options.log.warn('no more pins are observed: the approved ones fill the table', {
      approved: this.#held.sizes.approved,
      pins: this.#options.most,
      agreement,
    });
  }
}

function byAgreement(a: Pin, b: Pin): number {
  return a.agreement === b.agreement ? b.lastSeen - a.lastSeen : a.agreement < b.agreement ? -1 : 1;
}

/** The part of a pin that comes from the certificate. */
function certificateOf(
  leaf: CertificateFacts,
): Pick<Pin, 'certificateSha256' | 'subject' | 'identities' | 'notBefore' | 'notAfter'> {
  return {
    certificateSha256: leaf.sha256,
    subject: startOf(certificateName(leaf), MOST_SUBJECT),
    // The common name too: only where the agreement accepts it does a certificate without another name come here.
    identities: sipIdentities(leaf, { cnFallback: true }).names.slice(0, MOST_IDENTITIES),
    notBefore: leaf.notBefore,
    notAfter: leaf.notAfter,
  };
}
