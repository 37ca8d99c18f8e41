import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { METRICS } from '../../src/rpc/metrics/table.js';

const doc = readFileSync(join(import.meta.dirname, '../../docs/metrics.md'), 'utf8');
const table = doc.slice(doc.indexOf('\n## The table\n'), doc.indexOf('\n## The plugin\n'));
const rows = Object.values(METRICS);

describe('docs/metrics.md', () => {
  test('ok/it holds the table of metrics as it is, and nothing else', () => {
    const expected = rows.map(({ name, type, labels, help }) => {
      return `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${help} |`;
    });
    expect(table.split('\n').filter((line) => line.startsWith('| `'))).toEqual(expected);
  });
  test.each(rows)('ok/$name is named by the convention of Prometheus', ({ name, type, labels, help }) => {
    expect(name).toMatch(/^siptrust_[a-z][a-z_]*[a-z]$/);
    expect(name.endsWith('_total')).toBe(type === 'counter');
    for (const label of labels) expect(label).toMatch(/^[a-z]+$/);
    expect(help).toMatch(/^[A-Z0-9].*[^.]$/i);
    expect(name).not.toMatch(/_(?:ms|milliseconds|minutes|hours|kb|mb)(?:_|$)/);
  });
});
