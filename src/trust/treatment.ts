/** What a proxy does because of a verdict: by this two policies are compared. */

import type { ReasonCode } from '../reasons.js';
import { PROFILES, type ProfileName, profileOf } from '../sip/profiles.js';
import { HOOKS, hookDirection } from '../sip/rules.js';
import type { Direction, Snapshot } from './agreement.js';
import type { Verdict } from './verdict.js';

export interface Treatment {
  readonly verdict: Verdict['verdict'];
  /** Name of the agreement; empty: none was found. */
  readonly agreement: string;
  /** The most telling one; empty: none. */
  readonly reason: ReasonCode | '';
  readonly profile: ProfileName;
  readonly action: Verdict['action'];
  /** SIP status for `reject`; 0 otherwise. */
  readonly code: number;
  /** Domains that P-Asserted-Identity may bear; `*` for a transit peer. */
  readonly asserts: readonly string[];
}

/** Header fields that one treatment takes out and the other leaves, in canonical spelling. */
export interface HeaderEdits {
  /** They stayed before, and go after. */
  readonly removed: readonly string[];
  /** They went before, and stay after. */
  readonly kept: readonly string[];
}

export function treatmentOf(verdict: Verdict, { privacy }: Pick<Snapshot, 'privacy'>): Treatment {
  const { agreement, action, code } = verdict;
  const trusted = verdict.verdict === 'trusted' && agreement !== undefined;
  return {
    verdict: verdict.verdict,
    agreement: agreement?.name ?? '',
    reason: verdict.findings[0]?.code ?? '',
    profile: profileOf(verdict, privacy),
    action,
    code,
    asserts: trusted ? (agreement.asserts.transit ? ['*'] : agreement.asserts.domains) : [],
  };
}

/** Whether a proxy treats the peer otherwise. Another reason for the same treatment changes no call. */
export function treatsOtherwise(before: Treatment, after: Treatment): boolean {
  return (
    before.verdict !== after.verdict ||
    before.agreement !== after.agreement ||
    before.profile !== after.profile ||
    before.action !== after.action ||
    before.code !== after.code ||
    [...before.asserts].sort().join() !== [...after.asserts].sort().join()
  );
}

/**
 * What the static lists of two profiles do differently to what crosses a connection. Requests come from the side that
 * the question was about, and answers go back to it. What a plan does besides (profile `ask`, a trigger) no list tells.
 */
export function headerEdits(before: ProfileName, after: ProfileName, direction: Direction): HeaderEdits {
  const [old, next] = [removedBy(before, direction), removedBy(after, direction)];
  return {
    removed: [...next].filter((name) => !old.has(name)),
    kept: [...old].filter((name) => !next.has(name)),
  };
}

function removedBy(name: ProfileName, direction: Direction): ReadonlySet<string> {
  const profile = PROFILES.find((each) => each.name === name) ?? PROFILES[0];
  const hooks = HOOKS.filter(
    (hook) => (hook.startsWith('request') ? direction : opposite(direction)) === hookDirection(hook),
  );
  // One-letter names are the compact forms of fields that stand there too.
  return new Set(hooks.flatMap((hook) => profile?.hooks[hook].remove ?? []).filter((field) => field.length > 1));
}

function opposite(direction: Direction): Direction {
  return direction === 'in' ? 'out' : 'in';
}
