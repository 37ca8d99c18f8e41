import { describe, expect, test } from 'vitest';
import { peerParams } from '../../../../src/rpc/params/evidence.js';
import { hopParams, toQuestion } from '../../../../src/rpc/params/hop-params.js';

const read = (over: object) => hopParams.safeParse({ domain: 'b.example', ...over });

describe('what the proxy can use', () => {
  test('ok/lists, and texts with commas', () => {
    expect(read({ transports: 'TLS, tcp', families: ['ipv6'] }).data).toMatchObject({
      transports: ['tls', 'tcp'],
      families: ['ipv6'],
    });
  });
  test.each([
    ['commas', ','.repeat(60_000)],
    ['entries', Array.from({ length: 60_000 }, () => '')],
  ])('fail/tens of thousands of %s are not each explained', (_, families) => {
    expect(read({ families }).error?.issues.length).toBeLessThan(5);
  });
  test('fail/more than there are', () => {
    expect(read({ families: 'ipv4,ipv6,ipv4' }).success).toBe(false);
    expect(read({ families: 'ipv4,ipv6,ipv4,x' }).success).toBe(false);
  });
});

describe('a domain in U-labels', () => {
  test('ok/of hop.resolve', () => {
    const { data } = read({ domain: 'b\u00fccher.example' });
    expect(data && toQuestion(data)).toMatchObject({ host: { kind: 'domain', name: 'xn--bcher-kva.example' } });
  });
  test('ok/of trust.peer', () => {
    const peer = { direction: 'out', proto: 'tls', src_ip: '192.0.2.1', rcv_ip: '192.0.2.2', rcv_port: 5061 };
    const next_hop_b64 = Buffer.from('b\u00fccher.example').toString('base64');
    expect(peerParams.safeParse({ ...peer, next_hop_b64 }).data).toMatchObject({ next_hop: 'b\u00fccher.example' });
  });
  test('fail/in Latin-1', () => {
    const { data } = hopParams.safeParse({ domain_b64: Buffer.from('b\xfccher.example', 'latin1').toString('base64') });
    expect(data && toQuestion(data)).toMatchObject({ why: expect.any(String) });
  });
});
