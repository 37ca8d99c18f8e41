import { describe, expect, test } from 'vitest';
import { deepFreeze } from '../../../../src/policy/reading/freeze.js';
import { compile, compiled, nds, PIN, tls } from '../fixtures.js';

/** Everything that can be reached and is not frozen, by path. */
function soft(value: unknown, path = '$', done = new Set<unknown>()): readonly string[] {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || done.has(value)) return [];
  done.add(value);
  const here = Object.isFrozen(value) ? [] : [path];
  const entries = value instanceof Map || value instanceof Set ? [...value].flat() : [];
  const properties = Reflect.ownKeys(value).map((key) => [`${path}.${String(key)}`, Reflect.get(value, key)] as const);
  return [
    ...here,
    ...entries.flatMap((each, at) => soft(each, `${path}<${at}>`, done)),
    ...properties.flatMap(([at, each]) => soft(each, at, done)),
  ];
}

describe('the snapshot cannot be changed', () => {
  const rich = tls(
    'crls: [b.crl]',
    `pins: [${PIN}]`,
    'headers: {Diversion: {out: anonymise}}',
    'subject: {organization: x}',
    'asserts: {numbers: [+49]}',
  );

  for (const [name, policy] of [
    ['tls', rich],
    ['nds-ip', nds()],
  ] as const) {
    test(`ok/${name}: frozen through and through`, () => {
      const { snapshot, settings } = compiled(compile(policy));
      expect(soft(snapshot)).toEqual([]);
      expect(soft(settings)).toEqual([]);
      expect(() => {
        Object.assign(snapshot.agreements.at(0) ?? {}, { name: '' });
      }).toThrow(TypeError);
      expect(() => (snapshot.ownDomains as Set<string>).add('c.example')).toThrow('part of a snapshot');
      expect(() => (snapshot.sources as Map<string, unknown>).clear()).toThrow('part of a snapshot');
    });
  }

  test('ok/cycles, bytes and shared values', () => {
    const shared = { bytes: new Uint8Array(2) };
    const cycle: { self?: unknown; list: unknown[] } = { list: [shared, shared] };
    cycle.self = cycle;
    expect(soft(deepFreeze(cycle))).toEqual([]);
    expect(deepFreeze(deepFreeze(new Set([1]))).has(1)).toBe(true);
  });
});
