/** Verdicts and plans as the flat JSON that routing scripts read (design.md, "The RPC contract"). */

import type { Snapshot } from '../../trust/agreement/index.js';
import type { Plan } from '../../trust/message/index.js';
import { agreementInEffect, profileFor, type Verdict } from '../../trust/verdict/index.js';
import { JsonText } from './method.js';

/** Seconds that a script may keep this verdict: until it changes by itself, and never longer than the policy says. */
function timeToLive(verdict: Verdict, snapshot: Snapshot, now: number): number {
  const left = Math.floor((verdict.validUntil - now) / 1000);
  return Math.max(1, Math.min(snapshot.verdictTtl, left));
}

function sameForAll(verdict: Verdict, snapshot: Snapshot) {
  const trusted = verdict.verdict === 'trusted';
  const { agreement, findings, would } = verdict;
  const terms = agreementInEffect(verdict);
  const asserts = trusted ? terms?.asserts : undefined;
  return {
    verdict: verdict.verdict,
    trusted: trusted ? 1 : 0,
    profile: profileFor(verdict, snapshot.privacy),
    assurance: verdict.assurance,
    agreement: agreement?.name ?? '',
    domains: verdict.domains,
    reason: findings[0]?.code ?? '',
    reasons: [...new Set(findings.map(({ code }) => code))],
    detail: findings[0]?.detail ?? '',
    asserts: asserts?.transit ? ['*'] : (asserts?.domains ?? []),
    assert_hosts: asserts?.hosts ?? [],
    privacy: terms?.privacy ?? snapshot.privacy,
    action: verdict.action,
    code: verdict.code,
    phrase: verdict.phrase,
    revision: verdict.revision,
    per: verdict.per,
    ...(would === undefined ? {} : { would: would.verdict, would_reason: would.reason ?? '' }),
  };
}

/** Answers are the same for every question with one verdict, but for `ttl` and `id`; this is the text of the rest. */
const written = new WeakMap<Verdict, { readonly snapshot: Snapshot; readonly text: string }>();

/** The result of `trust.peer`. */
export function peerAnswer(id: string, verdict: Verdict, snapshot: Snapshot, now: number): JsonText {
  const ttl = timeToLive(verdict, snapshot, now);
  return new JsonText(`${textOf(verdict, snapshot)},"ttl":${ttl},"id":${JSON.stringify(id)}}`);
}

/** The result of `trust.peer` where the next certificate of the chain may change it: to be asked for again, not kept. */
export function halfAnswer(verdict: Verdict, snapshot: Snapshot): JsonText {
  return new JsonText(`${textOf(verdict, snapshot)},"ttl":1,"id":"","more":1}`);
}

function textOf(verdict: Verdict, snapshot: Snapshot): string {
  let same = written.get(verdict);
  if (same === undefined || same.snapshot !== snapshot) {
    same = { snapshot, text: JSON.stringify(sameForAll(verdict, snapshot)).slice(0, -1) };
    written.set(verdict, same);
  }
  return same.text;
}

/** A byte string as JSON text: UTF-8 where the bytes are UTF-8, which an appended line always is. */
function jsonText(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

/** The result of `trust.message`. */
export function messageAnswer(id: string, verdict: Verdict, plan: Plan) {
  const findings = [...plan.findings, ...verdict.findings];
  return {
    action: plan.action,
    code: plan.code,
    phrase: plan.phrase,
    remove: plan.remove,
    append: plan.append.map(jsonText),
    ruri: jsonText(plan.ruri),
    trusted: verdict.verdict === 'trusted' ? 1 : 0,
    agreement: verdict.agreement?.name ?? '',
    reason: findings[0]?.code ?? '',
    reasons: [...new Set(findings.map(({ code }) => code))],
    detail: findings[0]?.detail ?? '',
    flags: plan.flags,
    revision: verdict.revision,
    id,
  };
}
