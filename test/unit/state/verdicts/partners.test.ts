import { describe, expect, test } from 'vitest';
import { Partners } from '../../../../src/state/verdicts/partners.js';
import type { Answer } from '../../../../src/state/verdicts/recent.js';
import { leastPrivilege } from '../../../../src/trust/agreement/least-privilege.js';
import type { Verdict } from '../../../../src/trust/verdict/verdict.js';
import { atOnce } from '../../../../src/x509/der/in-steps.js';
import { agreementWith } from '../../../support/snapshot.js';

const MINUTE = 60_000;

const peer = { method: 'trust.peer', direction: 'in', source: '', nextHop: '', action: 'continue' } as const;
const message = { ...peer, method: 'trust.message' } as const;

let number = 0;
function answer(name: string | undefined, at: number, verdict: Verdict['verdict'] = 'trusted', detail = ''): Answer {
  number += 1;
  const agreement = name === undefined ? undefined : agreementWith({ name });
  const findings = detail === '' ? [] : [{ code: 'cert-time', detail }];
  return { id: `run-${number}`, at, verdict: { verdict, agreement, findings }, findings: [] } as unknown as Answer;
}

describe('what was answered about partners', () => {
  test('ok/answers that say the same are one row, another one begins a row', () => {
    const partners = new Partners();
    for (const at of [1, 2, 3]) partners.observe(peer, answer('b', at));
    partners.observe(peer, answer('b', 4, 'untrusted', 'ended'));
    const { history, last } = partners.of('b', 5);
    expect(history.map(({ verdict, count, first, last }) => [verdict, count, first, last])).toEqual([
      ['untrusted', 1, 4, 4],
      ['trusted', 3, 1, 3],
    ]);
    expect(last).toMatchObject({ verdict: 'untrusted', reason: 'cert-time', detail: 'ended', id: `run-${number}` });
  });
  test('ok/what is said of a certificate with the names of two partners is said of each', () => {
    const partners = new Partners();
    const [b, c] = [agreementWith({ name: 'b' }), agreementWith({ name: 'c' })];
    const both = answer('b', 1);
    partners.observe(peer, { ...both, verdict: { ...both.verdict, agreement: leastPrivilege(b, c) } }, '12');
    const said = ['b', 'c', 'b+c'].map((name) => partners.of(name, 2));
    expect(said.map(({ last, asked }) => [last?.verdict, asked.peer])).toEqual([
      ['trusted', 1],
      ['trusted', 1],
      [undefined, 0],
    ]);
    expect([...atOnce(partners.connectionsInSteps(0))]).toEqual([
      ['b', 1],
      ['c', 1],
    ]);
  });
  test('ok/a message changes the history, not who the partner is', () => {
    const partners = new Partners();
    partners.observe(peer, answer('b', 1));
    partners.observe(message, answer('b', 2, 'untrusted', 'x'));
    expect(partners.of('b', 3).last?.verdict).toBe('trusted');
    expect(partners.of('b', 3).history[0]?.method).toBe('trust.message');
  });
  test('ok/questions are counted for an hour', () => {
    const partners = new Partners();
    for (let minute = 0; minute < 60; minute += 1) partners.observe(peer, answer('b', minute * MINUTE));
    partners.observe(message, answer('b', 59 * MINUTE));
    expect(partners.of('b', 59 * MINUTE).asked).toEqual({ peer: 60, message: 1 });
    expect(partners.of('b', 89 * MINUTE).asked).toEqual({ peer: 30, message: 1 });
    expect(partners.of('b', 119 * MINUTE).asked).toEqual({ peer: 0, message: 0 });
    partners.observe(peer, answer('b', 500 * MINUTE));
    expect(partners.of('b', 500 * MINUTE).asked).toEqual({ peer: 1, message: 0 });
  });
  test('ok/a long detail is masked before it is cut: half of a quotation does not look like one', () => {
    const partners = new Partners();
    partners.observe(message, answer('b', 1, 'untrusted', `${'x '.repeat(90)}found "${'089123456 '.repeat(5)}"`));
    expect(partners.of('b', 2).history[0]?.detail).toBe(`${'x '.repeat(90)}found "08***"`);
    partners.observe(peer, answer('b', 3, 'untrusted', `${'x '.repeat(90)}sip:089123456@${'n'.repeat(20)}.example`));
    expect(partners.of('b', 4).history[0]?.detail).toMatch(/ sip:08\*\*\*@n+[.]{3}$/);
  });
  test('fail/neither strangers, nor many partners, rows or long details take more room', () => {
    const partners = new Partners(2);
    partners.observe(peer, answer(undefined, 1));
    for (const name of ['b', 'c', 'd']) partners.observe(peer, answer(name, 1));
    expect(['b', 'c', 'd'].map((name) => partners.of(name, 2).history.length)).toEqual([0, 1, 1]);
    for (let at = 0; at < 100; at += 1) {
      partners.observe(peer, answer('d', at, at % 2 === 0 ? 'trusted' : 'untrusted', 'x'.repeat(5_000)));
    }
    const { history } = partners.of('d', 100);
    expect(history).toHaveLength(16);
    expect(history[0]?.detail).toMatch(/^x{200}[.]{3}$/);
  });
  test('ok/connections are counted by partner until an hour has passed or they are closed', () => {
    const partners = new Partners();
    partners.observe(peer, answer('b', 100), '1');
    partners.observe(peer, answer('b', 300), '1');
    partners.observe(peer, answer('b', 200), '2');
    partners.observe(message, answer('b', 300), '3');
    expect(atOnce(partners.connectionsInSteps(0)).get('b')).toBe(2);
    expect(atOnce(partners.connectionsInSteps(201)).get('b')).toBe(1);
    partners.closed('1');
    expect(atOnce(partners.connectionsInSteps(0)).get('b')).toBe(1);
  });
  test('ok/connections of several proxies that have one number are counted apart, by their sources', () => {
    const partners = new Partners();
    for (const [source, name] of [
      ['192.0.2.1:40000', 'b'],
      ['192.0.2.2:40000', 'c'],
      ['192.0.2.1:40000', 'b'],
      ['192.0.2.1:40001', 'b'],
    ] as const)
      partners.observe({ ...peer, source }, answer(name, 100), '7');
    expect(Object.fromEntries(atOnce(partners.connectionsInSteps(0)))).toEqual({ b: 2, c: 1 });
    partners.closed('7');
    expect(atOnce(partners.connectionsInSteps(0)).size).toBe(0);
  });
});
