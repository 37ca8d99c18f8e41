import { expect, test } from 'vitest';
import { MIGRATIONS } from '../../../../src/state/migrations/migrations.js';

test('ok/each migration stands at its number', () => {
  expect(MIGRATIONS.map(({ version }) => version)).toEqual(MIGRATIONS.map((_, index) => index + 1));
});

test('ok/no migration takes away what a program of the version before needs', () => {
  for (const { sql } of MIGRATIONS.slice(1)) {
    expect(sql).not.toMatch(/\bDROP\b|\bRENAME\b|\bTYPE\b|\bSET NOT NULL\b/i);
  }
});
