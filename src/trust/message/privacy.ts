/** What a Privacy header field asks of us towards a peer outside the trust domain (rulebook §5.2, §5.5). */

import type { Privacy } from '../../sip/grammar/index.js';
import type { PrivacyMode } from '../agreement/index.js';

/** Values that ask for something, and name an identity that P-Asserted-Identity would tell nevertheless. */
const HIDES_IDENTITY: readonly string[] = ['id', 'user', 'header'];

/**
 * Does P-Asserted-Identity stay in front of an untrusted peer? `id` removes it in every mode (RFC 3325 §7); `none`
 * keeps it, but not against TS 33.203 §5.4; where nothing is asked for, the mode decides. What cannot be understood is
 * read as a wish for privacy (V-3).
 */
export function identityStays(mode: PrivacyMode, privacy: Privacy): boolean {
  if (mode === 'strict33203') return false;
  if (privacy.values.has('none')) return true;
  if (mode === 'ims24229') return false;
  if (HIDES_IDENTITY.some((value) => privacy.values.has(value)) || privacy.unknown.length > 0) return false;
  // A row without a single readable value, or one that contradicts itself, still means that somebody asked.
  return !privacy.present || !privacy.invalid;
}

/** What the user agent has done for itself already. */
export interface PrivacyState {
  /** Is From anonymous? Then what `user` asks of a proxy is done by removing the informational fields. */
  readonly fromIsAnonymous: boolean;
}

/** Values that need a back-to-back user agent: Contact, Via and Record-Route hidden, media relayed, From restored. */
export function needsB2bua(privacy: Privacy, state: PrivacyState): readonly string[] {
  return [...privacy.values].filter(
    (value) => value === 'header' || value === 'session' || (value === 'user' && !state.fromIsAnonymous),
  );
}

/** Values that `critical` makes a proxy fail the request for (RFC 3323 §5); empty: it can go on. */
export function criticalFailures(privacy: Privacy, state: PrivacyState): readonly string[] {
  if (!privacy.values.has('critical')) return [];
  return [...needsB2bua(privacy, state), ...privacy.unknown];
}

/**
 * The Privacy value when these values are executed: undefined where nothing changes, the empty text where the header
 * field goes because nothing but `critical` is left (RFC 3323 §5). `id` and `none` are never executed away
 * (TS 24.229 §4.4.2).
 */
export function privacyAfter(privacy: Privacy, executed: ReadonlySet<string>): string | undefined {
  const left = [...privacy.values].filter((value) => !executed.has(value));
  if (left.length === privacy.values.size) return undefined;
  return left.some((value) => value !== 'critical') ? left.join(';') : '';
}
