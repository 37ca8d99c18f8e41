import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toBytes } from '../../../src/sip/ascii.js';
import { scanHeaderBlock } from '../../../src/sip/header-block.js';
import { INTERCONNECTS, PRIVACY_MODES } from '../../../src/sip/rules.js';
import { planMessage } from '../../../src/trust/message.js';
import { planRelay, type RelayInput } from '../../../src/trust/relay.js';
import { applyPlan, text, values } from '../../support/apply-plan.js';
import { anyRows, methods, regularRows, requestUris } from '../../support/header-blocks.js';
import { agreement, type Case, FRAME, inputOf } from './message-support.js';

/** Who is at one end of the relay. */
interface End {
  readonly trusted: boolean;
  readonly terms?: Parameters<typeof agreement>[0];
}

function verdictOn({ trusted, terms }: End): RelayInput['inbound'] {
  return {
    verdict: trusted ? 'trusted' : 'untrusted',
    agreement: trusted || terms !== undefined ? agreement(terms) : undefined,
    action: 'continue',
    code: 0,
    phrase: '',
    findings: [],
  };
}

function relay(rows: readonly string[], from: End, to: End, spec: Case = {}): RelayInput {
  const { direction, ...input } = inputOf(rows, spec);
  return { ...input, inbound: verdictOn(from), verdict: verdictOn(to) };
}

const TRUSTED: End = { trusted: true };
const UNTRUSTED: End = { trusted: false };
const PAI = 'P-Asserted-Identity: <sip:bob@b.example>';

describe('a message that comes in over one hop and leaves over another', () => {
  const kept: readonly (readonly [string, readonly string[], End, End, Case, Record<string, readonly string[]>])[] = [
    ['an assertion from an untrusted peer goes (G-4)', [PAI], UNTRUSTED, TRUSTED, {}, { 'p-asserted-identity': [] }],
    [
      'one between trusted peers stays (G-4)',
      [PAI],
      TRUSTED,
      TRUSTED,
      {},
      { 'p-asserted-identity': ['<sip:bob@b.example>'] },
    ],
    ['one to an untrusted peer goes (G-3)', [PAI], TRUSTED, UNTRUSTED, {}, { 'p-asserted-identity': [] }],
    [
      'a screened assertion, appended by the first plan, is taken out by the second (T-12, G-3)',
      ['P-Asserted-Identity: <sip:bob@b.example>, <sip:eve@c.example>'],
      TRUSTED,
      UNTRUSTED,
      {},
      { 'p-asserted-identity': [] },
    ],
    [
      'a screened assertion reaches a trusted peer once (T-12)',
      ['P-Asserted-Identity: <sip:bob@b.example>, <sip:eve@c.example>'],
      TRUSTED,
      TRUSTED,
      {},
      { 'p-asserted-identity': ['<sip:bob@b.example>'] },
    ],
    [
      'parameters of both sides go out of one Route (T-61)',
      ['Route: <sip:p.a.example;lr;orig;iotl=x-y>'],
      UNTRUSTED,
      UNTRUSTED,
      {},
      { route: ['<sip:p.a.example;lr>'] },
    ],
    [
      'a response from a trusted callee to an untrusted caller (T-70)',
      [PAI, 'Reason: SIP;cause=480'],
      TRUSTED,
      UNTRUSTED,
      { message: 'response', status: 200 },
      { 'p-asserted-identity': [], reason: [] },
    ],
    [
      'a response from an untrusted callee to a trusted caller (T-69)',
      [PAI, 'Reason: SIP;cause=480', 'Feature-Caps: *', 'Response-Source: ue'],
      UNTRUSTED,
      TRUSTED,
      { message: 'response', status: 200 },
      { 'p-asserted-identity': [], reason: ['SIP;cause=480'], 'feature-caps': [], 'response-source': [] },
    ],
  ];
  for (const [name, rows, from, to, spec, want] of kept) {
    it(`ok/${name}`, () => {
      const input = relay(rows, from, to, spec);
      const after = applyPlan(input.block, planRelay(input));
      for (const [key, expected] of Object.entries(want)) expect(values(after, key)).toEqual(expected);
    });
  }

  it('ok/nothing to do at either hop is no edit', () => {
    expect(planRelay(relay([PAI], TRUSTED, TRUSTED))).toMatchObject({ action: 'continue', remove: [], append: [] });
  });

  it('ok/the Request-URI is cleaned once for both', () => {
    const input = relay([], UNTRUSTED, UNTRUSTED, { ruri: 'sip:alice@a.example;orig;cpc=operator?Subject=x' });
    expect(planRelay(input).ruri).toBe('sip:alice@a.example');
  });

  it('ok/flags and findings of both hops are told', () => {
    const rows = ['P-Asserted-Identity: <sip:bob@b.example>, <sip:eve@c.example>', 'Privacy: header'];
    const { findings, flags } = planRelay(relay(rows, TRUSTED, UNTRUSTED));
    expect(findings.map(({ code }) => code)).toEqual(['assert-foreign']);
    expect(flags).toContain('needs-b2bua');
  });

  it('fail/what the inbound hop refuses is refused, whoever is at the other end (S-2)', () => {
    const input = relay(['P-Asserted-Identity: <sip:eve@a.example>'], TRUSTED, TRUSTED);
    expect(planRelay(input)).toMatchObject({ action: 'reject', code: 403, findings: [{ code: 'assert-own' }] });
  });

  it('fail/what the verdict on the inbound hop refuses is refused with its reason', () => {
    const input = relay([], UNTRUSTED, TRUSTED);
    const finding = { code: 'revoked', detail: 'x' } as const;
    const inbound = { ...input.inbound, action: 'reject', code: 403, phrase: 'Peer', findings: [finding] } as const;
    expect(planRelay({ ...input, inbound })).toMatchObject({ action: 'reject', code: 403, findings: [finding] });
  });

  it('fail/what the outbound hop cannot do is refused: critical (T-57)', () => {
    const input = relay(['Privacy: header;critical'], TRUSTED, UNTRUSTED);
    expect(planRelay(input)).toMatchObject({ action: 'reject', code: 500 });
  });

  it('ok/an emergency call stays one when the Request-URI was rewritten (T-79)', () => {
    const spec = { startLine: 'INVITE urn:service:sos SIP/2.0', ruri: 'sip:psap@b.example' };
    const input = relay(['Geolocation: <cid:1@b.example>'], UNTRUSTED, UNTRUSTED, spec);
    expect(values(applyPlan(input.block, planRelay(input)), 'geolocation')).toEqual(['<cid:1@b.example>']);
  });

  it('ok/lines are appended with the line ends of the block', () => {
    const block = scanHeaderBlock(toBytes(`${[...FRAME, 'Route: <sip:x;lr;orig>'].join('\n')}\n\n`));
    const plan = planRelay({ ...relay([], UNTRUSTED, UNTRUSTED), block });
    expect(plan).toMatchObject({ action: 'continue', remove: ['Route'], append: ['Route: <sip:x;lr>'] });
  });
});

describe('for any header block', () => {
  const end = fc.record({
    trusted: fc.boolean(),
    terms: fc.record({ interconnect: fc.constantFrom(...INTERCONNECTS), privacy: fc.constantFrom(...PRIVACY_MODES) }),
  });
  const at = fc.record({ message: fc.constantFrom('request' as const, 'response' as const), method: methods });
  const rows = fc.oneof({ weight: 2, arbitrary: regularRows }, { weight: 1, arbitrary: anyRows });
  const RUNS = { numRuns: 1500 };

  it('ok/the one plan is the inbound plan and then the outbound plan', () => {
    fc.assert(
      fc.property(rows, at, requestUris, end, end, (received, spec, ruri, from, to) => {
        const input = relay(received, from, to, { ...spec, ruri, status: 200 });
        const one = planRelay(input);
        const first = planMessage({ ...input, direction: 'in', verdict: input.inbound });
        if (first.action === 'reject') return void expect(one).toMatchObject({ action: 'reject', code: first.code });
        const between = first.remove.length + first.append.length === 0 ? input.block : applyPlan(input.block, first);
        const second = planMessage({ ...input, direction: 'out', block: between, ruri: first.ruri || ruri });
        expect(one).toMatchObject({ action: second.action, code: second.code });
        if (second.action === 'continue') {
          expect(one.ruri).toBe(second.ruri || first.ruri);
          expect(text(applyPlan(input.block, one))).toBe(text(applyPlan(between, second)));
        }
      }),
      RUNS,
    );
  });

  it('ok/applied twice it changes nothing more', () => {
    fc.assert(
      fc.property(rows, at, requestUris, end, end, (received, spec, ruri, from, to) => {
        const input = relay(received, from, to, { ...spec, ruri, status: 200 });
        const first = planRelay(input);
        if (first.action === 'reject') return;
        const second = planRelay({ ...input, block: applyPlan(input.block, first), ruri: first.ruri || ruri });
        expect(second).toMatchObject({ action: 'continue', remove: [], append: [], ruri: '' });
      }),
      RUNS,
    );
  });
});
