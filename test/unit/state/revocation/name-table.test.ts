import { expect, test } from 'vitest';
import { NameTable } from '../../../../src/state/revocation/name-table.js';

test('ok/a table of names answers as a map does', () => {
  const entries = Array.from({ length: 5000 }, (_, at): [string, number] => [`d${at % 4000}.example`, at]);
  const [table, map] = [new NameTable<number>(), new Map(entries)];
  for (const [name, value] of entries) table.set(name, value);
  for (const name of [...map.keys(), '', 'e.example']) {
    expect([table.get(name), table.has(name)]).toEqual([map.get(name), map.has(name)]);
  }
  expect(new Map(table)).toEqual(map);
  expect([...table.values()].sort()).toEqual([...map.values()].sort());
});
