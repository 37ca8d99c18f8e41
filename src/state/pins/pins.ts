import type { Logger } from '../../log/index.js';
import { type ApprovedPins, NO_APPROVED_PINS } from '../../trust/cover/index.js';
import { type CertificateFacts, certificateName } from '../../x509/certificate/index.js';
import { atOnce } from '../../x509/der/index.js';
import { sipIdentities } from '../../x509/identity/index.js';
import type { Pin, PinKey, PinNews, Store, Stored } from '../store/index.js';
import type { Counters } from '../verdicts/index.js';
import { sortedInSteps } from '../work/index.js';
import { startOf } from './start-of.js';

/** Observations are written together, this long after the first one: until then a crash may lose them. */
const WRITE_DELAY_MS = 5_000;
/** Rows in one transaction: a verdict never waits for more than a few milliseconds of writing. */
const MOST_ROWS = 500;
/** The rest of many rows is written this much later. */
const NEXT_ROWS_MS = 50;
/** A certificate may be 64 KiB of names; no more of one is kept. */
const MOST_SUBJECT = 512;
/** Pins looked at in one step of a list. */
const STEP = 1000;
const MOST_IDENTITIES = 16;

type Kept = { -readonly [Key in keyof Pin]: Pin[Key] };

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
  /** Pins nobody approved, the one that was seen longest ago first. */
  readonly #observed = new Map<string, Kept>();
  readonly #approved = new Map<string, Kept>();
  readonly #store: Store | undefined;
  readonly #options: PinsOptions;
  readonly #floor: number;
  /** What the store does not know yet: pins that were seen, and pins that had to make room. */
  readonly #seen = new Set<string>();
  readonly #gone = new Map<string, PinKey>();
  readonly #stored = new WeakSet<Kept>();
  #keys: ApprovedPins = NO_APPROVED_PINS;
  #writing: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #counters: Counters | undefined;
  #changed: () => void = () => {};
  #full = false;
  #failing = false;

  /** @param store where changes are written; undefined: nowhere */
  constructor(stored: Stored, store: Store | undefined, options: PinsOptions) {
    this.#store = store;
    this.#options = options;
    this.#floor = stored.revision;
    for (const pin of stored.pins) {
      const place = pin.approvedAt === undefined ? this.#observed : this.#approved;
      const kept = { ...pin };
      place.set(nameOf(pin), kept);
      this.#stored.add(kept);
    }
    this.#makeRoom(options.most);
    this.#rebuild();
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
    if (this.#gone.size > 0) this.#writeLater(WRITE_DELAY_MS);
  }

  /** Approved keys by agreement; another object after each change. */
  get approved(): ApprovedPins {
    return this.#keys;
  }

  /** Revisions of earlier runs were no greater than this. */
  get revisionFloor(): number {
    return this.#floor;
  }

  /** Whether the last write failed; it is tried again. */
  get failing(): boolean {
    return this.#failing;
  }

  sizes(): { readonly observed: number; readonly approved: number } {
    return { observed: this.#observed.size, approved: this.#approved.size };
  }

  /** Copies of the pins, of one agreement or of all: by agreement, the ones seen last first. */
  list(agreement?: string): readonly Pin[] {
    return atOnce(this.listInSteps(agreement));
  }

  /** As `list`. Yields now and then. */
  *listInSteps(agreement?: string): Generator<undefined, readonly Pin[]> {
    // What is seen meanwhile moves to the end, and would be met again.
    const all = [...this.#approved.values(), ...this.#observed.values()];
    const found: Pin[] = [];
    for (const [at, pin] of all.entries()) {
      if (agreement === undefined || pin.agreement === agreement) found.push({ ...pin });
      if (at % STEP === STEP - 1) yield;
    }
    return yield* sortedInSteps(found, byAgreement);
  }

  /** How many pins were observed with agreements of which this says yes, and nobody has approved. Yields now and then. */
  *waitingInSteps(asks: (agreement: string) => boolean): Generator<undefined, number> {
    let [waiting, looked] = [0, 0];
    for (const { agreement } of [...this.#observed.values()]) {
      waiting += Number(asks(agreement));
      looked += 1;
      if (looked % STEP === 0) yield;
    }
    return waiting;
  }

  find(key: PinKey): Pin | undefined {
    const name = nameOf(key);
    const pin = this.#approved.get(name) ?? this.#observed.get(name);
    return pin && { ...pin };
  }

  /** Notes that a certificate was seen in a good handshake. Costs two look-ups: nothing waits for the store. */
  observe(agreement: string, leaf: CertificateFacts): void {
    const name = nameOf({ agreement, spkiSha256: leaf.spkiSha256 });
    const observed = this.#observed.get(name);
    const known = observed ?? this.#approved.get(name);
    const now = this.#options.clock();
    if (known === undefined) {
      if (!this.#makeRoom(this.#options.most - 1)) {
        this.#refuse(agreement);
        return;
      }
      this.#gone.delete(name);
      const seen = { agreement, spkiSha256: leaf.spkiSha256, firstSeen: now, lastSeen: now, count: 1 };
      this.#observed.set(name, { ...seen, ...certificateOf(leaf), approvedAt: undefined });
      this.#counters?.add('pins.observed');
    } else {
      known.lastSeen = now;
      known.count += 1;
      if (known.certificateSha256 !== leaf.sha256) Object.assign(known, certificateOf(leaf));
      else known.notBefore = leaf.notBefore;
      if (observed !== undefined) {
        // To the end: the first one is always the one that was seen longest ago.
        this.#observed.delete(name);
        this.#observed.set(name, observed);
      }
    }
    this.#seen.add(name);
    this.#writeLater(WRITE_DELAY_MS);
  }

  /**
   * Approves pins that were observed; those that are approved already stay as they are. Once it is settled it holds for
   * all verdicts from then on, and outlives a crash.
   * @throws {StoreError} nothing was approved
   */
  approve(keys: readonly PinKey[]): Promise<void> {
    return this.#alone(async () => {
      const approvedAt = this.#options.clock();
      const pins = keys.flatMap((key) => this.#observed.get(nameOf(key)) ?? []);
      if (pins.length === 0) return;
      await this.#store?.save({ approve: pins.map((pin) => ({ ...pin, approvedAt })) });
      for (const pin of pins) {
        const name = nameOf(pin);
        pin.approvedAt = approvedAt;
        this.#observed.delete(name);
        this.#gone.delete(name);
        this.#approved.set(name, pin);
        this.#stored.add(pin);
      }
      this.#putInForce();
    });
  }

  /**
   * Removes pins, observed or approved; as for `approve`. A key that is seen again is observed again.
   * @throws {StoreError} nothing was removed
   */
  drop(keys: readonly PinKey[]): Promise<void> {
    return this.#alone(async () => {
      await this.#store?.save({ remove: keys });
      let approved = false;
      for (const name of keys.map(nameOf)) {
        approved = this.#approved.delete(name) || approved;
        this.#observed.delete(name);
        this.#seen.delete(name);
      }
      this.#full = false;
      if (approved) this.#putInForce();
    });
  }

  /** Writes what is not written yet and closes the store. */
  async close(): Promise<void> {
    do {
      await this.#write();
    } while (this.#seen.size + this.#gone.size > 0 && !this.#failing);
    clearTimeout(this.#timer);
    await this.#alone(async () => this.#store?.close());
  }

  /** Takes over what others have approved, dropped or seen, all of it in this turn. */
  #adopt({ pins, removed }: PinNews): void {
    let approvals = false;
    for (const pin of pins) approvals = this.#adoptOne(pin) || approvals;
    for (const name of removed.map(nameOf)) {
      approvals = this.#approved.delete(name) || approvals;
      this.#observed.delete(name);
      this.#seen.delete(name);
    }
    this.#makeRoom(this.#options.most);
    if (approvals) this.#putInForce();
  }

  /** Whether it is approved that was not, or the other way round. */
  #adoptOne(pin: Pin): boolean {
    const name = nameOf(pin);
    const [wasObserved, wasApproved] = [this.#observed.get(name), this.#approved.get(name)];
    const known = wasApproved ?? wasObserved;
    const kept: Kept = known ?? { ...pin };
    if (known !== undefined) {
      const counted = Math.max(known.count, pin.count);
      const [first, last] = [Math.min(known.firstSeen, pin.firstSeen), Math.max(known.lastSeen, pin.lastSeen)];
      const seenLast = pin.lastSeen >= known.lastSeen ? pin : { ...known };
      Object.assign(known, {
        ...seenLast,
        notBefore: seenLast.certificateSha256 === known.certificateSha256 ? known.notBefore : undefined,
        count: counted,
        firstSeen: first,
        lastSeen: last,
        approvedAt: pin.approvedAt,
      });
    }
    this.#stored.add(kept);
    this.#gone.delete(name);
    if (pin.approvedAt === undefined) {
      this.#approved.delete(name);
      if (wasObserved === undefined) this.#observed.set(name, kept);
    } else {
      this.#observed.delete(name);
      this.#approved.set(name, kept);
    }
    return (wasApproved === undefined) !== (pin.approvedAt === undefined);
  }

  #putInForce(): void {
    this.#rebuild();
    this.#changed();
  }

  #rebuild(): void {
    const keys = new Map<string, Set<string>>();
    for (const { agreement, spkiSha256 } of this.#approved.values()) {
      const of = keys.get(agreement);
      if (of === undefined) keys.set(agreement, new Set([spkiSha256]));
      else of.add(spkiSha256);
    }
    this.#keys = keys;
  }

  /** Lets observed pins go until there are no more than `most`; whether that was enough. */
  #makeRoom(most: number): boolean {
    for (const [name, pin] of this.#observed) {
      if (this.#observed.size + this.#approved.size <= most) break;
      this.#observed.delete(name);
      this.#seen.delete(name);
      if (this.#stored.has(pin)) this.#gone.set(name, pin);
      this.#counters?.add('pins.evicted');
    }
    return this.#observed.size + this.#approved.size <= most;
  }

  #refuse(agreement: string): void {
    this.#counters?.add('pins.refused');
    if (this.#full) return;
    this.#full = true;
    const { approved } = this.sizes();
    this.#options.log.warn('no more pins are observed: the approved ones fill the table', {
      approved,
      pins: this.#options.most,
      agreement,
    });
  }

  #writeLater(delay: number): void {
    if (this.#timer !== undefined || this.#store === undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#write();
    }, delay);
    this.#timer.unref();
  }

  /** Writes some of what the store does not know yet. Never rejects: what could not be written is tried again later. */
  #write(): Promise<void> {
    return this.#alone(async () => {
      const names = [...firstRows(this.#seen)];
      const gone = [...firstRows(this.#gone.keys())];
      const changes = {
        put: names.flatMap((name) => this.#approved.get(name) ?? this.#observed.get(name) ?? []),
        forget: gone.flatMap((name) => this.#gone.get(name) ?? []),
      };
      for (const name of names) this.#seen.delete(name);
      for (const name of gone) this.#gone.delete(name);
      try {
        for (const pin of changes.put) this.#stored.add(pin);
        await this.#store?.save(changes);
        if (this.#failing) this.#options.log.info('observed pins are written again');
        this.#failing = false;
      } catch (error) {
        for (const name of names) if (this.#observed.has(name) || this.#approved.has(name)) this.#seen.add(name);
        for (const key of changes.forget) {
          const name = nameOf(key);
          if (!this.#observed.has(name) && !this.#approved.has(name)) this.#gone.set(name, key);
        }
        this.#counters?.add('pins.unwritten');
        if (!this.#failing) this.#options.log.warn('observed pins were not written', { error: String(error) });
        this.#failing = true;
      }
      if (this.#seen.size + this.#gone.size > 0) this.#writeLater(this.#failing ? WRITE_DELAY_MS : NEXT_ROWS_MS);
    });
  }

  /** One change after the other, in the order they were asked for. */
  #alone<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#writing.then(work);
    this.#writing = done.then(
      () => {},
      () => {},
    );
    return done;
  }
}

function byAgreement(a: Pin, b: Pin): number {
  return a.agreement === b.agreement ? b.lastSeen - a.lastSeen : a.agreement < b.agreement ? -1 : 1;
}

/** Names of agreements hold no blank. */
function nameOf({ agreement, spkiSha256 }: PinKey): string {
  return `${agreement} ${spkiSha256}`;
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

/** As many as are written at once. */
function* firstRows<T>(items: Iterable<T>): Generator<T> {
  let left = MOST_ROWS;
  for (const item of items) {
    yield item;
    left -= 1;
    if (left === 0) return;
  }
}
