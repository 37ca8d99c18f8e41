import type { ApprovedPins } from '../../trust/cover/index.js';
import type { Pin, PinKey } from '../store/index.js';

/** A pin as it is held: what is seen again changes it. */
export type Held = { -readonly [Key in keyof Pin]: Pin[Key] };

/** Names of agreements hold no blank. */
export function nameOf({ agreement, spkiSha256 }: PinKey): string {
  return `${agreement} ${spkiSha256}`;
}

/** The pins in memory, each under its name: those that nobody approved, and those that somebody did. */
export class HeldPins {
  /** The one that was seen longest ago first. */
  readonly #observed = new Map<string, Held>();
  readonly #approved = new Map<string, Held>();

  get sizes(): { readonly observed: number; readonly approved: number } {
    return { observed: this.#observed.size, approved: this.#approved.size };
  }

  get all(): readonly Held[] {
    return [...this.#approved.values(), ...this.#observed.values()];
  }

  find(name: string): Held | undefined {
    return this.#approved.get(name) ?? this.#observed.get(name);
  }

  /** Holds a pin where it belongs now. Whether it is approved that was not, or the other way round. */
  put(pin: Held): boolean {
    const name = nameOf(pin);
    const wasApproved = this.#approved.has(name);
    const isApproved = pin.approvedAt !== undefined;
    (isApproved ? this.#observed : this.#approved).delete(name);
    (isApproved ? this.#approved : this.#observed).set(name, pin);
    return wasApproved !== isApproved;
  }

  /** Was seen just now. */
  sawAgain(name: string): void {
    const pin = this.#observed.get(name);
    if (pin === undefined) return;
    this.#observed.delete(name);
    this.#observed.set(name, pin);
  }

  /** Whether it was approved. */
  remove(name: string): boolean {
    this.#observed.delete(name);
    return this.#approved.delete(name);
  }

  /** Lets observed pins go until there are no more than `most`; those, by name. */
  makeRoom(most: number): readonly (readonly [string, Held])[] {
    const gone: (readonly [string, Held])[] = [];
    for (const each of this.#observed) {
      if (this.#observed.size + this.#approved.size <= most) break;
      this.#observed.delete(each[0]);
      gone.push(each);
    }
    return gone;
  }

  /** Approved keys by agreement. */
  get approvedKeys(): ApprovedPins {
    const keys = new Map<string, Set<string>>();
    for (const { agreement, spkiSha256 } of this.#approved.values()) {
      const of = keys.get(agreement);
      if (of === undefined) keys.set(agreement, new Set([spkiSha256]));
      else of.add(spkiSha256);
    }
    return keys;
  }
}
