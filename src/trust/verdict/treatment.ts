/** What a proxy does because of a verdict: by this two policies are compared. */

import type { ReasonCode } from '../../reasons.js';
import { HOOKS, hookDirection, PROFILES, type ProfileName, profileOf, STRICTEST } from '../../sip/table/index.js';
import type { Direction, Snapshot } from '../agreement/index.js';
import { agreementInEffect, type Verdict } from './verdict.js';

/** The profile of a peer whose agreement is only monitored: nothing is removed, asked or refused. */
const PASSES = 'monitor';

/** By what a script treats a peer: a list of its own, or none at all. */
export type TreatmentProfile = ProfileName | typeof PASSES;

export interface Treatment {
  readonly verdict: Verdict['verdict'];
  /** Name of the agreement; empty: none was found. */
  readonly agreement: string;
  /** The most telling one; empty: none. */
  readonly reason: ReasonCode | '';
  readonly profile: TreatmentProfile;
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

/** What the proxy does because of a verdict: the part of it that a change of policy can change. */
export function treatmentOf(verdict: Verdict, { privacy }: Pick<Snapshot, 'privacy'>): Treatment {
  const { agreement, action, code } = verdict;
  const asserts = verdict.verdict === 'trusted' ? agreement?.asserts : undefined;
  return {
    verdict: verdict.verdict,
    agreement: agreement?.name ?? '',
    reason: verdict.findings[0]?.code ?? '',
    profile: profileFor(verdict, privacy),
    action,
    code,
    asserts: asserts?.transit ? ['*'] : (asserts?.domains ?? []),
  };
}

/** What is only monitored has no terms of its own: who did not prove to be the partner is a stranger. */
export function profileFor(verdict: Verdict, privacy: Snapshot['privacy']): TreatmentProfile {
  if (verdict.would?.passes === true) return PASSES;
  return profileOf({ verdict: verdict.verdict, agreement: agreementInEffect(verdict) }, privacy);
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
export function headerEdits(before: TreatmentProfile, after: TreatmentProfile, direction: Direction): HeaderEdits {
  const [old, next] = [removedBy(before, direction), removedBy(after, direction)];
  return {
    removed: [...next].filter((name) => !old.has(name)),
    kept: [...old].filter((name) => !next.has(name)),
  };
}

function removedBy(name: TreatmentProfile, direction: Direction): ReadonlySet<string> {
  if (name === PASSES) return new Set();
  const profile = PROFILES.find((each) => each.name === name) ?? STRICTEST;
  const hooks = HOOKS.filter(
    (hook) => (hook.startsWith('request') ? direction : opposite(direction)) === hookDirection(hook),
  );
  // One-letter names are the compact forms of fields that stand there too.
  return new Set(hooks.flatMap((hook) => profile.hooks[hook].remove).filter((field) => field.length > 1));
}

function opposite(direction: Direction): Direction {
  return direction === 'in' ? 'out' : 'in';
}
