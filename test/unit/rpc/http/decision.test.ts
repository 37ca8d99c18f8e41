import { describe, expect, test } from 'vitest';
import { decisionRow, fits } from '../../../../src/rpc/http/decision.js';
import type { Answer } from '../../../../src/state/verdicts/index.js';
import { NOW } from '../../../support/certificates.js';

const answer = (detail: string): Answer => ({
  ...{ id: 'x-1', at: NOW, question: undefined },
  findings: [{ code: 'assert-foreign', detail }],
  verdict: { verdict: 'trusted', action: 'continue', findings: [], checks: [] } as unknown as Answer['verdict'],
});

test('ok/the user of a next hop is masked as one of a finding', () => {
  const question = { method: 'trust.peer', direction: 'out', source: '', action: 'continue' } as const;
  const to = (nextHop: string, mask: boolean) =>
    decisionRow({ ...answer(''), question: { ...question, nextHop } }, mask).next_hop;
  expect(to('sip:089123456@n.example', true)).toBe('sip:08***@n.example');
  expect(to('sip:089123456@n.example', false)).toBe('sip:089123456@n.example');
  expect(to('n.example', true)).toBe('n.example');
});

test('ok/an answer about a certificate of two partners is found by each of them', () => {
  const row = { ...decisionRow(answer(''), true), agreement: 'op-b+op-c' };
  const found = ['op-b', 'op-c', 'op-d', ''].map((agreement) => fits(row, { agreement }));
  expect(found).toEqual([true, true, false, false]);
});

describe('what a row quotes out of a message', () => {
  test('ok/two characters of it, as in the decision log; all of it where nothing is masked', () => {
    const detail = 'expected a number of +4930, found "089123456"';
    expect(decisionRow(answer(detail), true).detail).toBe('expected a number of +4930, found "08***"');
    expect(decisionRow(answer(detail), false).detail).toBe(detail);
  });
  test('ok/a quotation that the cut divides is masked before', () => {
    const detail = `${'x'.repeat(280)} "${'Alice Miller '.repeat(5)}"`;
    expect(decisionRow(answer(detail), true).detail).toBe(`${'x'.repeat(280)} "Al***"`);
    expect(decisionRow(answer(detail), false).detail).toHaveLength(303);
  });
});
