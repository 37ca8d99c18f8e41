import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { runs } from '../../support/runs.js';
import { compile, nds, PIN, said, text, tls } from './fixtures.js';

const GOOD = text(
  ...nds().trimEnd().split('\n'),
  ...tls(
    'crls: [b.crl]',
    `pins: [${PIN}]`,
    'subject: {organization: [Operator B], country: DE}',
    'valid: {from: 2026-01-01, until: "2027-12-31T00:00:00Z"}',
    'asserts: {domains: [b.example], numbers: [+4930], transit: false}',
    'headers: {History-Info: {in: keep, out: anonymise}}',
  )
    .trimEnd()
    .split('\n')
    .slice(2),
  'daemon: {listen: {fifo: off}, unix_mode: 0660, cache: {ttl: 60}}',
  'defaults: {skew: 300, privacy: ims24229}',
);

/** Pieces that mean something to YAML or to a policy, in places where they do not belong. */
const PIECES = [
  '\t',
  '\n',
  ' ',
  ':',
  ': ',
  '- ',
  '[',
  ']',
  '{',
  '}',
  '"',
  "'",
  '#',
  '&a ',
  '*a',
  '!!int ',
  '|',
  '>',
  '%',
  '---\n',
  '\0',
  '\ufeff',
  'null',
  '~',
  '-1',
  '1e999',
  '__proto__',
  'b.example',
  '*',
  'ü',
  '\u{1f600}',
  '0.0.0.0/0',
  '<<: ',
  '? ',
  '../',
  'off',
];

/** A verdict on any bytes: a snapshot, or problems with their places. */
function judge(policy: string | Uint8Array): void {
  const result = compile(policy);
  if (result.ok) {
    expect(Object.isFrozen(result.snapshot)).toBe(true);
    return;
  }
  const lines = Buffer.from(policy).toString('latin1').split('\n').length;
  expect(result.problems.some((problem) => problem.severity === 'error')).toBe(true);
  for (const { file, line, column, message } of result.problems) {
    expect(file).toBe('p.yaml');
    expect(line).toBeGreaterThanOrEqual(1);
    expect(line).toBeLessThanOrEqual(lines + 1);
    expect(column).toBeGreaterThanOrEqual(1);
    expect(message).not.toBe('');
  }
}

// Thousands of policies are compiled here; a busy machine needs more than the usual time.
describe('any mutation of a good file compiles or says where it does not', { timeout: 180_000 }, () => {
  test('ok/the file is good', () => expect(said(compile(GOOD))).toEqual([]));

  test('ok/text put in, taken out, moved', () => {
    const place = fc.nat(GOOD.length);
    const piece = fc.oneof(fc.constantFrom(...PIECES), fc.string({ unit: 'binary', maxLength: 8 }));
    const edit = fc.record({ place, length: fc.nat(40), piece });
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
        let policy = GOOD;
        for (const { place, length, piece } of edits)
          policy = policy.slice(0, place) + piece + policy.slice(place + length);
        judge(policy);
      }),
      { numRuns: runs(60) },
    );
  });

  test('ok/lines lost, doubled, shifted', () => {
    const lines = GOOD.split('\n');
    const edit = fc.record({
      line: fc.nat(lines.length - 1),
      change: fc.constantFrom('lose', 'double', 'indent', 'outdent', 'swap'),
    });
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 5 }), (edits) => {
        const mutated = [...lines];
        for (const { line, change } of edits) {
          const old = mutated[line] ?? '';
          if (change === 'lose') mutated[line] = '';
          if (change === 'double') mutated[line] = `${old}\n${old}`;
          if (change === 'indent') mutated[line] = ` ${old}`;
          if (change === 'outdent') mutated[line] = old.slice(1);
          if (change === 'swap') [mutated[line], mutated[0]] = [mutated[0] ?? '', old];
        }
        judge(mutated.join('\n'));
      }),
      { numRuns: runs(50) },
    );
  });

  test('ok/bytes changed', () => {
    const bytes = Buffer.from(GOOD);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 3 }),
        (edits) => {
          const mutated = Buffer.from(bytes);
          for (const [place, byte] of edits) mutated[place] = byte;
          judge(mutated);
        },
      ),
      { numRuns: runs(50) },
    );
  });

  test('ok/any value in the place of any value', () => {
    const value = fc.json({ maxDepth: 3 });
    const places = [...GOOD.matchAll(/: ([^\n{[]+|\[[^\]\n]*\]|\{[^{}\n]*\})/g)];
    fc.assert(
      fc.property(fc.constantFrom(...places), value, (match, json) => {
        const start = match.index + 2;
        judge(GOOD.slice(0, start) + json + GOOD.slice(start + (match[1] ?? '').length));
      }),
      { numRuns: runs(50) },
    );
  });
});
