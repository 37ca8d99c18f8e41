import { describe, expect, test } from 'vitest';
import { Connections } from '../../../../src/state/verdicts/connections.js';
import type { CertificateFacts } from '../../../../src/x509/certificate/facts.js';
import { root } from '../../../support/certificates.js';
import { evidenceWith, tlsWith } from '../../../support/evidence.js';

const BOUNDS = { octets: 1_000_000, idleMs: 60_000 };
const none = (): CertificateFacts | undefined => undefined;

describe('Connections', () => {
  const known = evidenceWith({ connectionId: '7', sourceAddress: '192.0.2.1', sourcePort: 40_000, tls: undefined });
  const connections = new Connections(BOUNDS, none);
  connections.remember(known, 'stranger');
  connections.remember(evidenceWith({ connectionId: undefined }), 'stranger');

  test('ok/by id alone', () => expect(connections.find('7', undefined, undefined)).toEqual(known));
  test('ok/by id and source', () => expect(connections.find('7', '192.0.2.1', 40_000)).toEqual(known));
  test('fail/another source address is another connection', () =>
    expect(connections.find('7', '192.0.2.9', 40_000)).toBeUndefined());
  test('fail/another source port is another connection', () =>
    expect(connections.find('7', '192.0.2.1', 40_001)).toBeUndefined());
  test('fail/an id that was never judged', () => expect(connections.find('8', undefined, undefined)).toBeUndefined());
  test('ok/the later question about a connection replaces the earlier', () => {
    const again = { ...known, localPort: 5071 };
    connections.remember(again, 'partner');
    expect(connections.find('7', undefined, undefined)).toEqual(again);
    connections.remember(known, 'stranger');
    expect(connections.find('7', undefined, undefined)).toEqual(known);
    expect(connections.size).toBe(1);
  });
  test('fail/an id that two connections have names neither: not the one that was asked about last', () => {
    const two = new Connections(BOUNDS, none);
    const other = { ...known, sourceAddress: '192.0.2.2' };
    for (const each of [known, other]) two.remember(each, 'partner');
    expect(two.find('7', undefined, undefined)).toBeUndefined();
    expect(two.find('7', undefined, known.sourcePort)).toBeUndefined();
    expect([known, other].map(({ sourceAddress }) => two.find('7', sourceAddress, undefined))).toEqual([known, other]);
  });
  test('fail/nor does an id with a source that two certificates have shown: proxies behind one address, or one started anew', () => {
    const facts = [root({ subject: 'CN=1' }).facts, root({ subject: 'CN=2' }).facts];
    const two = new Connections(BOUNDS, (sha256) => facts.find((each) => each.sha256 === sha256));
    const [partner, stranger] = facts.map((each) => ({ ...known, tls: tlsWith(each, { attributes: {} }) }));
    if (partner === undefined || stranger === undefined) throw new Error('no certificates');
    two.remember(partner, 'partner');
    expect(two.find('7', '192.0.2.1', 40_000)).toEqual(partner);
    two.remember(stranger, 'stranger');
    expect(two.find('7', '192.0.2.1', 40_000)).toBeUndefined();
  });
  test('ok/connections of several proxies that have one number are told by their sources, the eight of late', () => {
    const many = new Connections(BOUNDS, none);
    const of = (sourcePort: number) =>
      evidenceWith({ connectionId: '7', sourceAddress: '192.0.2.1', sourcePort, tls: undefined });
    for (let port = 1; port <= 9; port++) many.remember(of(port), port === 1 ? 'partner' : 'stranger');
    expect([1, 2, 8, 9, 10].map((port) => many.find('7', '192.0.2.1', port)?.sourcePort)).toEqual([
      undefined,
      2,
      8,
      9,
      undefined,
    ]);
    expect(many.find('7', '192.0.2.2', 9)).toBeUndefined();
    expect([many.size, many.forget('7'), many.size]).toEqual([1, true, 0]);
  });
  test('ok/a stranger at another proxy does not push out a partner whose connection has that number', () => {
    const small = new Connections({ ...BOUNDS, octets: 8_000 }, none);
    const partner = evidenceWith({ connectionId: '7', sourceAddress: '192.0.2.1', sourcePort: 1, tls: undefined });
    small.remember(partner, 'partner');
    for (let id = 7; id < 40; id++) {
      small.remember(
        evidenceWith({ connectionId: `${id}`, sourceAddress: '192.0.2.9', sourcePort: 1, tls: undefined }),
        'stranger',
      );
    }
    expect(small.find('7', '192.0.2.1', 1)).toEqual(partner);
  });
  test('ok/a closed connection is forgotten', () => {
    connections.remember(evidenceWith({ connectionId: '9', tls: undefined }), 'partner');
    expect([connections.forget('9'), connections.forget('9')]).toEqual([true, false]);
    expect(connections.find('9', undefined, undefined)).toBeUndefined();
  });
});

describe('a connection with a certificate', () => {
  const { facts } = root();
  const tls = tlsWith(facts, { attributes: {} });
  const shown = evidenceWith({ connectionId: '7', tls });

  test('ok/has the certificate as it is known where it is asked for', () => {
    const connections = new Connections(BOUNDS, (sha256) => (sha256 === facts.sha256 ? facts : undefined));
    connections.remember(shown, 'stranger');
    expect(connections.find('7', undefined, undefined)).toEqual(shown);
  });
  test('ok/has what else the peer sent, as far as it is known', () => {
    const [ca, gone] = [root({ subject: 'CN=1' }).facts, root({ subject: 'CN=2' }).facts];
    const known = new Map([facts, ca].map((each) => [each.sha256, each]));
    const chain = { certificates: [ca, gone], ignored: ['x'] };
    const connections = new Connections(BOUNDS, (sha256) => known.get(sha256));
    connections.remember({ ...shown, tls: { ...tls, chain } }, 'stranger');
    const found = connections.find('7', undefined, undefined)?.tls;
    expect(found).toEqual({ ...tls, chain: { certificates: [ca], ignored: ['x'] } });
  });
  test('fail/is unknown when the certificate is', () => {
    const connections = new Connections(BOUNDS, none);
    connections.remember(shown, 'stranger');
    expect(connections.find('7', undefined, undefined)).toBeUndefined();
  });
  test('ok/whose certificate cannot be read stays that', () => {
    const unreadable = evidenceWith({ connectionId: '7', tls: { ...tls, certificate: { malformed: 'x' } } });
    const connections = new Connections(BOUNDS, none);
    connections.remember(unreadable, 'stranger');
    expect(connections.find('7', undefined, undefined)).toEqual(unreadable);
  });
});

describe('what strangers make us remember is bounded', () => {
  test('ok/in octets, long names counted', () => {
    const connections = new Connections({ octets: 100_000, idleMs: 60_000 }, none);
    for (let at = 0; at < 1000; at++) {
      connections.remember(
        evidenceWith({ connectionId: String(at), nextHop: 'x'.repeat(at), tls: undefined }),
        'stranger',
      );
    }
    expect(connections.octets).toBeLessThanOrEqual(50_000);
    expect(connections.size).toBeLessThan(60);
  });
  test('ok/and never at the cost of partners', () => {
    const connections = new Connections({ octets: 100_000, idleMs: 60_000 }, none);
    connections.remember(evidenceWith({ connectionId: 'partner', tls: undefined }), 'partner');
    for (let at = 0; at < 1000; at++) {
      connections.remember(evidenceWith({ connectionId: String(at), tls: undefined }), 'stranger');
    }
    expect(connections.find('partner', undefined, undefined)).toBeDefined();
    expect(connections.find('1', undefined, undefined)).toBeUndefined();
  });
  test('ok/by age since the last question', () => {
    let now = 1;
    const connections = new Connections({ octets: 100_000, idleMs: 1000, clock: () => now }, none);
    connections.remember(evidenceWith({ connectionId: '7', tls: undefined }), 'stranger');
    now += 900;
    expect(connections.find('7', undefined, undefined)).toBeDefined();
    now += 900;
    expect(connections.find('7', undefined, undefined)).toBeDefined();
    now += 1100;
    expect(connections.find('7', undefined, undefined)).toBeUndefined();
  });
});
