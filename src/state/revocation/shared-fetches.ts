import type { HttpAnswer } from '../fetch/index.js';

/** A list or a status that more than one node of a fleet follows. */
export interface FetchedThing {
  readonly kind: 'crl' | 'ocsp';
  /** URL of the list; of a status with the SHA-256 of the certificate. */
  readonly source: string;
  /** What another node fetched longer ago is not taken; 0: it is fetched anew. */
  readonly maxAgeMs: number;
  /** Validator of what is at hand, which a server may say is still the latest. */
  readonly etag: string | undefined;
}

/** What one node fetched for all. Nobody believes it for that: it is judged like what comes from the server itself. */
export interface SharedFetches {
  /**
   * What another node has fetched, or else what `own` gives, for the others too. One node fetches while the others wait;
   * where the store is away each fetches for itself.
   */
  fetch(thing: FetchedThing, own: () => Promise<HttpAnswer>, stop: AbortSignal): Promise<HttpAnswer>;
  /** What another node has fetched. No server is asked. undefined: there is none of that age, or the store is away. */
  read(thing: FetchedThing): Promise<HttpAnswer | undefined>;
  /** @param told of what another node has fetched that was not there before; some of it may be missed */
  follow(told: (thing: Pick<FetchedThing, 'kind' | 'source'>) => void): void;
}
