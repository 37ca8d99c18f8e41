import { LRUCache } from 'lru-cache';
import type { Evidence } from '../trust/evidence.js';

/** As many connections as a proxy holds open at a time, and more. */
const MAX_CONNECTIONS = 100_000;

/**
 * The evidence of connections that were judged, by connection id, so that `trust.message` may name a connection
 * instead of repeating its certificate. Kept is evidence, never a verdict: policy is judged per message (design rule
 * 5). A proxy that restarts counts its connections from 1 again, and its first question about an id replaces what was
 * known; where a message also states the source address, it must be the one of the evidence.
 */
export class Connections {
  readonly #known = new LRUCache<string, Evidence>({ max: MAX_CONNECTIONS });

  remember(evidence: Evidence): void {
    if (evidence.connectionId !== undefined) this.#known.set(evidence.connectionId, evidence);
  }

  /** The evidence of a connection, unless the message states another source than the connection had. */
  find(connectionId: string, sourceAddress: string | undefined, sourcePort: number | undefined): Evidence | undefined {
    const known = this.#known.get(connectionId);
    if (known === undefined) return undefined;
    const same =
      (sourceAddress === undefined || sourceAddress === known.sourceAddress) &&
      (sourcePort === undefined || sourcePort === known.sourcePort);
    return same ? known : undefined;
  }

  get size(): number {
    return this.#known.size;
  }

  clear(): void {
    this.#known.clear();
  }
}
