import { describe, expect, test } from 'vitest';
import { Connections } from '../../../src/state/connections.js';
import { evidenceWith } from '../../support/snapshot.js';

describe('Connections', () => {
  const known = evidenceWith({ connectionId: '7', sourceAddress: '192.0.2.1', sourcePort: 40_000 });
  const connections = new Connections();
  connections.remember(known);
  connections.remember(evidenceWith({ connectionId: undefined }));

  test('ok/by id alone', () => expect(connections.find('7', undefined, undefined)).toBe(known));
  test('ok/by id and source', () => expect(connections.find('7', '192.0.2.1', 40_000)).toBe(known));
  test('fail/another source address is another connection', () =>
    expect(connections.find('7', '192.0.2.9', 40_000)).toBeUndefined());
  test('fail/another source port is another connection', () =>
    expect(connections.find('7', '192.0.2.1', 40_001)).toBeUndefined());
  test('fail/an id that was never judged', () => expect(connections.find('8', undefined, undefined)).toBeUndefined());
  test('ok/the later question about an id replaces the earlier', () => {
    const again = evidenceWith({ connectionId: '7', sourceAddress: '192.0.2.2' });
    connections.remember(again);
    expect(connections.find('7', undefined, undefined)).toBe(again);
    expect(connections.size).toBe(1);
  });
});
