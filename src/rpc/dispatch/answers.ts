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

/** What is the same for every question with one verdict, as a value and as JSON without its last brace. */
interface Same {
  readonly snapshot: Snapshot;
  readonly value: object;
  readonly text: string;
}

/** Answers differ by `ttl`, `id` and `more`; all else of them is made once. */
const written = new WeakMap<Verdict, Same>();

/** The result of `trust.peer`. */
export function peerAnswer(id: string, verdict: Verdict, snapshot: Snapshot, now: number): JsonText {
  const ttl = timeToLive(verdict, snapshot, now);
  const { text, value } = sameOf(verdict, snapshot);
  return new JsonText(`${text},"ttl":${ttl},"id":${JSON.stringify(id)}}`, () => ({ ...value, ttl, id }));
}

/** The result of `trust.peer` where the next certificate of the chain may change it: to be asked for again, not kept. */
export function halfAnswer(verdict: Verdict, snapshot: Snapshot): JsonText {
  const { text, value } = sameOf(verdict, snapshot);
  return new JsonText(`${text},"ttl":1,"id":"","more":1}`, () => ({ ...value, ttl: 1, id: '', more: 1 }));
}

function sameOf(verdict: Verdict, snapshot: Snapshot): Same {
  let same = written.get(verdict);
  if (same === undefined || same.snapshot !== snapshot) {
    const value = sameForAll(verdict, snapshot);
    same = { snapshot, value, text: JSON.stringify(value).slice(0, -1) };
    written.set(verdict, same);
  }
  return same;
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
