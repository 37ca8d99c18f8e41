/**
 * The methods without a daemon: the same table on the same state, over a policy file, with the time of each question
 * as its `at` says. What is answered here is what the daemon would have answered.
 */

import type { OperatorLog } from '../../log/index.js';
import type { ReasonCode } from '../../reasons.js';
import type { Pins } from '../../state/pins/index.js';
import type { PolicyHolder } from '../../state/policy/index.js';
import { trustState } from '../../state/trust/index.js';
import type { CertificateCache } from '../../state/verdicts/index.js';
import { isRecord } from '../../typed.js';
import { INSTANT_FORM, parseRfc3339 } from '../../x509/der/index.js';
import { sipIdentities } from '../../x509/identity/index.js';
import { JsonText, type Method, RpcError } from '../dispatch/index.js';
import { methodTable } from '../methods/index.js';
import { foldByteParams } from '../params/index.js';
import { lookAtIdentity } from './listener-identity.js';

const CONTEXT = { wire: 'unix', peer: 'offline', role: 'operator' } as const;

const SILENT: OperatorLog = {
  error: () => {},
  warn: () => {},
  info: () => {},
  debug: () => {},
  setLevel: () => {},
  level: () => 'info',
  close: async () => {},
};

/**
 * The answer to a question that cannot be read: untrusted, and why. A message that cannot be read is not passed on,
 * since there is no list of what to take out of it.
 */
export function badInput(method: string, why: string, error?: object): object {
  return refused(method, 'bad-input', why, error);
}

function refused(method: string, reason: ReasonCode, why: string, error?: object): object {
  const effect =
    method === 'trust.message'
      ? { action: 'reject', code: 400, phrase: 'Bad Request', remove: [], append: [], ruri: '', flags: [] }
      : { verdict: 'untrusted', profile: 'strict', assurance: 'none', agreement: '', action: 'continue' };
  return {
    ...effect,
    trusted: 0,
    reason,
    reasons: [reason],
    detail: why,
    ...(error === undefined ? {} : { error }),
  };
}

/** A method of the table over one policy, and the state that it works on. */
function offlineMethod(policy: PolicyHolder, method: string, clock: () => number, pins?: Pins) {
  const state = trustState({ policy, clock, pins });
  const { listen, tls } = policy.settings;
  if (listen.https !== undefined && tls !== undefined) lookAtIdentity(tls, state.ends);
  const row = methodTable(state, SILENT, () => state.changes.reload()).find(({ name }) => name === method);
  if (row === undefined) throw new Error(`no method is named ${method}`);
  return { state, row };
}

/**
 * The answer of an operator's method over one policy, as it is now.
 * @throws {RpcError} as the daemon would answer
 */
export function offlineAnswer(policy: PolicyHolder, method: string, params: unknown, pins?: Pins): unknown {
  return plain(offlineMethod(policy, method, Date.now, pins).row.call(params, CONTEXT));
}

/** Answers `trust.peer`, `trust.message` or `trust.explain` records over one policy. */
export function offlineAnswers(policy: PolicyHolder, method: string, pins?: Pins): (record: unknown) => unknown {
  let now = Date.now();
  let fixed = false;
  const clock = () => (fixed ? now : Date.now());
  const { state, row } = offlineMethod(policy, method, clock, pins);
  return (record) => {
    if (!isRecord(record)) {
      return badInput(method, 'expected a JSON object with the params of the method');
    }
    const { at, ...params } = record;
    fixed = at !== undefined;
    if (fixed) {
      const instant = typeof at === 'string' ? parseRfc3339(at) : undefined;
      if (instant === undefined) return badInput(method, `at: expected ${INSTANT_FORM}, found ${shown(at)}`);
      now = instant;
    }
    // Questions may go back in time, where a verdict that was cached for later does not hold.
    state.caches.flush();
    return called(row, params);
  };
}

function plain(answer: unknown): unknown {
  return answer instanceof JsonText ? answer.toJSON() : answer;
}

/** A value of somebody's JSON in a message. */
const shown = (value: unknown): string => JSON.stringify(value)?.slice(0, 60) ?? 'nothing';

function called(row: Method, params: unknown): unknown {
  try {
    return plain(row.call(params, CONTEXT));
  } catch (error) {
    if (!(error instanceof RpcError)) return refused(row.name, 'internal-error', String(error));
    return badInput(row.name, JSON.stringify(error.data ?? error.message), error.toObject());
  }
}

/**
 * `{pem}` -> `{kind, names}` by RFC 5922 §7.1. The common name counts where there is no subjectAltName, which `kind`
 * says (`cn`); `cn_fallback: false` leaves it out, as an agreement does by default.
 */
export function identityRecord(certificates: CertificateCache, record: unknown): object {
  const none = (why: string) => ({ kind: 'none', names: [], error: why });
  try {
    const folded = foldByteParams(record);
    const { pem, cn_fallback: fallback } = isRecord(folded) ? folded : {};
    if (typeof pem !== 'string') return none('expected {"pem": "..."}');
    const facts = certificates.read(pem);
    if ('malformed' in facts) return none(facts.malformed);
    const { kind, names, findings } = sipIdentities(facts, { cnFallback: fallback !== false });
    return { kind, names, remarks: findings.map(({ code, detail }) => `${code}: ${detail}`) };
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
    return none(JSON.stringify(error.data));
  }
}
