/**
 * What siptrust keeps over restarts. One daemon keeps it in a file (sqlite-store.ts); a fleet may keep it in one
 * database, which is why everything here is a promise.
 */

/** A key that was seen with an agreement, and the certificate that bore it last. */
export interface Pin {
  /** Name of the agreement. */
  readonly agreement: string;
  /** Base64 SHA-256 of the SubjectPublicKeyInfo: with the agreement, what tells pins apart. */
  readonly spkiSha256: string;
  /** Lower-case hex SHA-256 of the certificate. */
  readonly certificateSha256: string;
  readonly subject: string;
  /** SIP domain identities of the certificate. */
  readonly identities: readonly string[];
  /** Milliseconds since 1970, like all instants here. */
  readonly notAfter: number;
  /** undefined: this daemon has not seen the certificate since its start. In memory alone: only when to tell of its end rests on it. */
  readonly notBefore?: number | undefined;
  readonly firstSeen: number;
  readonly lastSeen: number;
  /** Answers that it was seen in. */
  readonly count: number;
  /** undefined: it was observed, and nobody approved it. */
  readonly approvedAt: number | undefined;
}

export type PinKey = Pick<Pin, 'agreement' | 'spkiSha256'>;

export interface StoreChanges {
  /** Pins as they were seen, known or not. In a store that others share this approves none and withdraws none. */
  readonly put?: readonly Pin[];
  /** Pins that are approved from now on. */
  readonly approve?: readonly Pin[];
  /** An operator wants them gone, everywhere. */
  readonly remove?: readonly PinKey[];
  /** This daemon has no room for them. */
  readonly forget?: readonly PinKey[];
  /** A revision that scripts may have seen; later runs begin above it. Never goes back. */
  readonly revision?: number;
}

export interface Stored {
  /** The one that was seen longest ago first. */
  readonly pins: readonly Pin[];
  readonly revision: number;
}

/** What others have changed in a store that is shared. */
export interface PinNews {
  /** All pins there are, or those that have changed. */
  readonly pins: readonly Pin[];
  readonly removed: readonly PinKey[];
}

export interface Store {
  /** @throws {StoreError} */
  load(): Promise<Stored>;
  /**
   * Makes all changes or none. Once it is settled they outlive a crash of the daemon and of the machine.
   * @throws {StoreError} nothing was changed
   */
  save(changes: StoreChanges): Promise<void>;
  /** Where others share it: `told` of what they have changed, in the turn in which this store takes it for true. */
  followPins?(told: (news: PinNews) => void): void;
  close(): Promise<void>;
}

/** A domain of a partner that was seen to offer TLS in DNS, and when last. */
export interface TlsSeen {
  readonly domain: string;
  readonly seenAt: number;
}

export interface TlsSeenStore {
  /** @throws {StoreError} */
  loadTlsSeen(): Promise<readonly TlsSeen[]>;
  /**
   * Keeps these, and forgets those that were not seen since `since`.
   * @throws {StoreError}
   */
  saveTlsSeen(seen: readonly TlsSeen[], since: number): Promise<void>;
  /** Where others share it. */
  followTlsSeen?(told: (seen: readonly TlsSeen[]) => void): void;
}

/** How far the history of a database was seen to go. */
export interface TimelineStore {
  /**
   * The latest timeline of the database with this system identifier; 0: it was never seen.
   * @throws {StoreError}
   */
  loadTimeline(system: string): Promise<number>;
  /** Never goes back. @throws {StoreError} */
  saveTimeline(system: string, timeline: number): Promise<void>;
}

/** A line of the audit log on its way to a store that is away; `id` tells it from all others. */
export interface WaitingLine {
  readonly id: string;
  readonly text: string;
}

/** Where lines outlive a crash until the store has them. */
export interface WaitingLines {
  /** The oldest first. @throws {StoreError} */
  loadWaiting(most: number): Promise<readonly WaitingLine[]>;
  /** @throws {StoreError} */
  addWaiting(line: WaitingLine): Promise<void>;
  /** @throws {StoreError} */
  dropWaiting(ids: readonly string[]): Promise<void>;
}

/** A certificate that an answer was about, kept so that the question can be asked again. */
export interface KeptCertificate {
  /** Lower-case hex. */
  readonly sha256: string;
  readonly der: Uint8Array;
  readonly lastSeen: number;
  /** It names a partner; the others make room first. */
  readonly partner: boolean;
}

export interface KeptLimits {
  /** Octets of all certificates together. */
  readonly octets: number;
  /** What was not seen since is forgotten. */
  readonly since: number;
}

export interface CertificateStore {
  /**
   * Keeps these, and forgets what the limits have no room for.
   * @throws {StoreError}
   */
  saveCertificates(seen: readonly KeptCertificate[], limits: KeptLimits): Promise<void>;
}

/** A store that cannot be opened, read or written; the message names it, what was expected and what was found. */
export class StoreError extends Error {
  constructor(
    readonly store: string,
    problem: string,
    options?: ErrorOptions,
  ) {
    super(`${store}: ${problem}`, options);
    this.name = 'StoreError';
  }
}

const FIRST_TIME = Date.UTC(1970, 0, 1);
const LAST_TIME = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/**
 * A time of a store, which people can write by hand: ours come nowhere near the bounds, and what no date can say counts as
 * what is next to it.
 */
export function boundedTime(time: number): number {
  return Math.min(Math.max(time, FIRST_TIME), LAST_TIME);
}
