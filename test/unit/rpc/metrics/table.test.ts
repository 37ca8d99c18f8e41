import { expect, test } from 'vitest';
import { METRICS } from '../../../../src/rpc/metrics/table.js';

test.each(Object.values(METRICS))(
  'ok/$name is named by the convention of Prometheus',
  ({ name, type, labels, help }) => {
    expect(name).toMatch(/^siptrust_[a-z][a-z_]*[a-z]$/);
    expect(name.endsWith('_total')).toBe(type === 'counter');
    for (const label of labels) expect(label).toMatch(/^[a-z]+$/);
    expect(help).toMatch(/^[A-Z0-9].*[^.]$/i);
    expect(name).not.toMatch(/_(?:ms|milliseconds|minutes|hours|kb|mb)(?:_|$)/);
  },
);
