/** What doctor looks for, and what it finds: what is wrong, how much harm it does, and the next step. */

import type { Site } from './site.js';

/** In order of harm. */
export const HARMS = {
  leak: 'private information may leave, or forged identities come in',
  outage: 'partners are not trusted, or calls fail',
  risk: 'it works today',
  note: 'worth knowing',
} as const;

export type Harm = keyof typeof HARMS;

export interface Finding {
  readonly harm: Harm;
  readonly found: string;
  readonly next: string;
}

/** One thing that doctor looks for. */
export interface Check {
  readonly name: string;
  /** What is right, in one line. */
  readonly asks: string;
  readonly look: (site: Site) => readonly Finding[];
}

/** A finding with its next step. */
export function finding(harm: Harm, found: string, next: string): Finding {
  return { harm, found, next };
}

/** Of a directory that is not there, or that nobody here may look into: then nothing is known of it. */
export function unreadable(missing: string, next: string): Finding {
  if (missing.endsWith('no such directory')) return finding('leak', missing, next);
  return finding('risk', missing, 'ask as a user who may read it (sudo): nothing was looked at in it');
}
