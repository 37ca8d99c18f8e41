import { expect, test } from 'vitest';
import { MIGRATIONS } from '../../../../src/state/migrations/migrations.js';

test('ok/each migration stands at its number', () => {
  expect(MIGRATIONS.map(({ version }) => version)).toEqual(MIGRATIONS.map((_, index) => index + 1));
});

test('ok/no migration takes away what a program of the version before needs', () => {
  for (const { sql } of MIGRATIONS.slice(1)) expect(sql).not.toMatch(BREAKS);
});

/** What ends that program's statements: a column that it does not fill, or a rule that what it writes may break. */
const BREAKS =
  /\bDROP\b|\bRENAME\b|\bTYPE\b|\bSET NOT NULL\b|\bADD COLUMN\b(?![^;,]*\bDEFAULT\b)[^;,]*\bNOT NULL\b|\bADD (CONSTRAINT|CHECK|UNIQUE|PRIMARY|FOREIGN|EXCLUDE)\b|\bCREATE UNIQUE\b|\bCREATE (OR REPLACE )?TRIGGER\b/i;

test.each([
  ['ALTER TABLE node ADD COLUMN x text NOT NULL', true],
  ["ALTER TABLE node ADD COLUMN x text NOT NULL DEFAULT ''", false],
  ['ALTER TABLE node ADD COLUMN x text', false],
  ['ALTER TABLE node ADD CONSTRAINT short CHECK (length(name) < 9)', true],
  ['CREATE UNIQUE INDEX one ON pin (subject)', true],
  ['CREATE TABLE other (x text NOT NULL, UNIQUE (x))', false],
])('ok/what would break it is seen, and nothing else: %s', (sql, breaks) => {
  expect(BREAKS.test(sql)).toBe(breaks);
});
