import { describe, expect, test, vi } from 'vitest';
import { Names } from '../../../../src/ctl/import/candidate.js';

describe('names of agreements', () => {
  test('ok/each once, whatever its case, also where one stands there with a number of its own', () => {
    const names = new Names();
    const taken = ['carrier', 'Carrier-2', 'CARRIER', 'carrier', 'carrier-2'].map((text) => names.take(text));
    expect(taken).toEqual(['carrier', 'Carrier-2', 'CARRIER-3', 'carrier-4', 'carrier-2-2']);
  });

  test('ok/of a text that stands in all rows none is looked for from the beginning', () => {
    const names = new Names();
    const looks = vi.spyOn(Set.prototype, 'has');
    for (let row = 0; row < 2000; row++) names.take('carrier');
    const count = looks.mock.calls.length;
    looks.mockRestore();
    expect(count).toBeLessThan(10_000);
  });
});
