import { describe, expect, test } from 'vitest';
import { AuthorityTable } from '../../../../src/trust/agreement/authority-table.js';
import { NameTable } from '../../../../src/trust/agreement/name-table.js';
import { root } from '../../../support/certificates.js';
import { agreementWith } from '../../../support/snapshot.js';

describe('a table of names', () => {
  test('ok/it answers as a map does', () => {
    const entries = Array.from({ length: 5000 }, (_, at) => [`d${at}.example`, at] as const);
    const table = NameTable.of([...entries, ['d7.example', -7] as const]);
    const map = new Map<string, number>([...entries, ['d7.example', -7]]);
    expect(table.size).toBe(map.size);
    for (const name of [...map.keys(), '', 'e.example']) {
      expect([table.get(name), table.has(name)]).toEqual([map.get(name), map.has(name)]);
    }
    expect(new Map(table)).toEqual(map);
    expect(new Set(table.keys())).toEqual(new Set(map.keys()));
    expect([...table.values()].sort()).toEqual([...map.values()].sort());
    const seen = new Map<string, number>();
    table.forEach((value, name) => void seen.set(name, value));
    expect(seen).toEqual(map);
  });

  test('fail/it cannot be changed once it is sealed', () => {
    expect(() => NameTable.of([['a', 1]]).set('b', 2)).toThrow('part of a snapshot');
  });
});

describe('the CAs of a policy', () => {
  const ca = root({ subject: 'CN=CA' }).facts;
  const other = root({ subject: 'CN=CA' }).facts;
  const named = (name: string, anchors = [ca]) =>
    agreementWith({ name, anchors: { client: anchors, server: anchors }, intermediates: anchors });

  test('ok/two of the agreements that name one, so that one is another than any given one', () => {
    const [a, b, c] = [named('a'), named('b'), named('c')];
    expect(AuthorityTable.of([a, b, c]).named(ca.subjectKeys.text)).toEqual([{ certificate: ca, agreements: [a, b] }]);
    expect(AuthorityTable.of([a]).named(ca.subjectKeys.text)).toEqual([{ certificate: ca, agreements: [a] }]);
    expect(AuthorityTable.of([a]).named('nobody')).toEqual([]);
  });

  test('ok/two CAs of one name are two', () => {
    const table = AuthorityTable.of([named('a'), named('b', [other])]);
    const found = table
      .named(ca.subjectKeys.text)
      .map(({ certificate, agreements }) => [certificate.sha256, ...agreements.map(({ name }) => name)]);
    expect(found).toEqual([
      [ca.sha256, 'a'],
      [other.sha256, 'b'],
    ]);
  });
});
