/** Profiles by their numbers in Kamailio's script, and what stands beside them in the table of verdicts there. */

import { PROFILES, type Profile } from '../table/index.js';

/** From 1: of peers that are not trusted, then of those that are. */
export const NUMBERED: readonly { readonly word: string; readonly profile: Profile; readonly trusted: boolean }[] = [
  ...PROFILES.filter(({ name }) => !name.startsWith('trusted')),
  ...PROFILES.filter(({ name }) => name.startsWith('trusted')),
]
  .map((profile) => ({
    word: profile.name.toUpperCase().replaceAll('-', '_'),
    profile,
    trusted: profile.name.startsWith('trusted'),
  }))
  .concat(
    PROFILES.filter(({ name }) => name === 'ask').map((profile) => ({ word: 'TRUSTED_ASK', profile, trusted: true })),
  );

/** Nothing is removed, asked or refused. */
export const MONITORED = 21;
/** Nothing of this peer is taken. */
export const REFUSED = 22;

/** The number of a profile; of one that nobody knows, or that the peer may not have, the strictest. */
export function profileNumber(name: string, trusted: boolean): number {
  const index = NUMBERED.findIndex((each) => each.profile.name === name && each.trusted === trusted);
  return index < 0 ? 1 : index + 1;
}
