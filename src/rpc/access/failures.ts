/** Wrong credentials by source: whoever showed some has to wait before the next one is looked at. */

import { hasPassed } from '../../elapsed.js';
import { parseAddress } from '../../net/address/index.js';

const MOST_FAILURES = 10;
const WINDOW_MS = 60_000;
/** Sources that are remembered; of more, the oldest is forgotten. */
const MOST_SOURCES = 10_000;

/** Counts wrong credentials by source, and says who has shown too many in a window. */
export class Failures {
  readonly #clock: () => number;
  readonly #most: number;
  readonly #sources = new Map<string, { count: number; readonly since: number }>();

  constructor(clock: () => number, most = MOST_FAILURES) {
    this.#clock = clock;
    this.#most = most;
  }

  /** Whether this source has used up what it may do wrong for now. */
  blocked(address: string): boolean {
    const name = sourceOf(address);
    const known = this.#sources.get(name);
    if (known === undefined) return false;
    if (!hasPassed(known.since, WINDOW_MS, this.#clock())) return known.count >= this.#most;
    this.#sources.delete(name);
    return false;
  }

  add(address: string): void {
    const name = sourceOf(address);
    const known = this.#sources.get(name);
    const now = this.#clock();
    if (known !== undefined && !hasPassed(known.since, WINDOW_MS, now)) {
      known.count += 1;
      return;
    }
    this.#sources.delete(name);
    this.#sources.set(name, { count: 1, since: now });
    if (this.#sources.size > MOST_SOURCES) {
      for (const oldest of this.#sources.keys()) {
        this.#sources.delete(oldest);
        break;
      }
    }
  }
}

/** An IPv4 address, or the /64 that an IPv6 host takes its addresses from. */
function sourceOf(text: string): string {
  const address = parseAddress(text);
  if (address === undefined || address.bytes.length === 4) return address?.text ?? text;
  return Buffer.from(address.bytes.subarray(0, 8)).toString('hex');
}
