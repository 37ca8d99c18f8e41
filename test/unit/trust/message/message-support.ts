/** Builds `planMessage` inputs with defaults that a test overrides. */

import { describe, expect, it } from 'vitest';
import { fieldKey } from '../../../../src/sip/grammar/field-names.js';
import type { Agreement } from '../../../../src/trust/agreement/agreement.js';
import { type MessageInput, planMessage } from '../../../../src/trust/message/message.js';
import type { Plan } from '../../../../src/trust/message/plan.js';
import { applyPlan } from '../../../support/apply-plan.js';
import { block } from '../../sip/support.js';

const PLAIN: Partial<Agreement> = {};
/** What is made of an agreement for messages to it is remembered by the agreement: equal ones of a test are one. */
const made = new WeakMap<Partial<Agreement>, Agreement>();

/** An agreement with b.example, as far as messages care. */
export function agreement(overrides: Partial<Agreement> = PLAIN): Agreement {
  const known = made.get(overrides);
  if (known !== undefined) return known;
  const base: Partial<Agreement> = {
    name: 'op-b',
    domains: ['b.example'],
    interconnect: 'non-roaming',
    asserts: { domains: ['b.example'], numbers: 'any', transit: false },
    privacy: 'strict33203',
    headers: new Map(),
  };
  const agreed = { ...base, ...overrides } as Agreement;
  made.set(overrides, agreed);
  return agreed;
}

export interface Case extends Partial<Omit<MessageInput, 'verdict' | 'block' | 'snapshot'>> {
  readonly trusted?: boolean;
  readonly agreement?: Partial<Agreement>;
  /** Privacy mode towards peers without an agreement. */
  readonly mode?: Agreement['privacy'];
}

/** Rows that every message bears; From is of the peer. */
export const FRAME = [
  'Via: SIP/2.0/TLS sbc.b.example;branch=z9hG4bK1',
  'From: "Bob" <sip:bob@b.example>;tag=1',
  'To: <sip:alice@a.example>',
  'Call-ID: 1@b.example',
  'CSeq: 1 INVITE',
  'Max-Forwards: 70',
];

/** A message of these rows behind FRAME; rows that start with a name of FRAME replace it. */
export function inputOf(rows: readonly string[], spec: Case = {}): MessageInput {
  const { trusted = false, agreement: terms, mode = 'strict33203', ...rest } = spec;
  const names = new Set(rows.map((row) => fieldKey(row.split(':')[0]?.trim() ?? '')));
  const method = rest.method ?? 'INVITE';
  const frame = FRAME.filter((row) => !names.has(fieldKey(row.split(':')[0] ?? ''))).map((row) =>
    row.startsWith('CSeq') ? `CSeq: 1 ${method}` : row,
  );
  const agreed = trusted || terms !== undefined ? agreement(terms) : undefined;
  return {
    direction: 'in',
    message: 'request',
    method,
    ruri: 'sip:alice@a.example',
    ...rest,
    block: block(...frame, ...rows),
    verdict: { verdict: trusted ? 'trusted' : 'untrusted', agreement: agreed, action: 'continue', code: 0, phrase: '' },
    snapshot: {
      ownDomains: new Set(['a.example', 'ims.a.example']),
      byDomain: new Map([['hosted.a.example', agreement({ name: 'op-h' })]]),
      privacy: mode,
    },
  };
}

/** The plan and the message after it; also checks that the plan, applied twice, changes nothing more. */
export function run(rows: readonly string[], spec: Case = {}) {
  const input = inputOf(rows, spec);
  const plan = planMessage(input);
  const after = applyPlan(input.block, plan);
  const ruri = plan.ruri === '' ? input.ruri : plan.ruri;
  if (plan.action === 'continue') {
    const again = planMessage({ ...input, block: after, ruri });
    if (again.action !== 'continue' || again.remove.length > 0 || again.append.length > 0 || again.ruri !== '') {
      throw new Error(`the plan is not idempotent: ${JSON.stringify({ first: plan, second: again })}`);
    }
  }
  return { plan, after, ruri, input };
}

export function codes(plan: Plan): readonly string[] {
  return plan.findings.map(({ code }) => code);
}

/** What a plan must be; `action` continue where nothing is said. */
export interface Expectation {
  readonly action?: 'continue' | 'reject';
  readonly code?: number;
  readonly phrase?: string;
  readonly remove?: readonly string[];
  readonly append?: readonly string[];
  readonly ruri?: string;
  readonly codes?: readonly string[];
  readonly flags?: readonly string[];
}

export type Row = readonly [name: string, rows: readonly string[], spec: Case, expected: Expectation];

/** One test for each row. */
export function table(title: string, cases: readonly Row[]): void {
  describe(title, () => {
    it.each(cases)('%s', (_, rows, spec, expected) => {
      const { plan } = run(rows, spec);
      const { codes: wanted, ...rest } = expected;
      expect(plan).toMatchObject({ action: 'continue', ...rest });
      if (wanted !== undefined) expect(codes(plan)).toEqual(wanted);
      for (const line of plan.append) expect(line).not.toMatch(/[\r\n\0]/);
    });
  });
}
