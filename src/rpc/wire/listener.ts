/** What the wires have in common: how they are opened and closed, and where they may listen. */

import { isLoopback } from '../../net/address/index.js';

/** Largest request that any wire takes, in bytes. */
export const MAX_REQUEST_BYTES = 1024 * 1024;

/** How long close() waits for what is in flight, in ms. */
export const DEFAULT_GRACE_MS = 5_000;

export interface Listener {
  /** `127.0.0.1:5080`, `[::1]:5080`, or a path. */
  readonly address: string;
  /** In words, why nobody can ask here any more; undefined: all is well. */
  problem?(): string | undefined;
  /** Takes no more, answers what was asked, then closes; what is left after the grace is dropped. */
  close(graceMs?: number): Promise<void>;
}

/** Where a wire tells of what an operator may want to see; never of the content of requests. */
export type WireLog = (event: string, detail: Readonly<Record<string, string | number>>) => void;

/**
 * Whoever reaches a listener can ask it: another host than loopback is a decision.
 * @throws {Error} the host is not loopback and `allowRemote` is not set
 */
export function requireLoopback(wire: string, host: string, allowRemote: boolean): void {
  if (allowRemote || isLoopback(host)) return;
  throw new Error(`${wire} listener: expected a loopback address (or the setting that allows others), found ${host}`);
}

/** `address:port`, IPv6 in brackets (RFC 5952 §6). */
export function hostPort(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
