import { describe, expect, test } from 'vitest';
import { hopParams } from '../../../../src/rpc/params/hop-params.js';

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
