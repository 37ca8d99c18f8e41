import { describe, expect, test } from 'vitest';
import { isLoopback } from '../../../../src/net/address/loopback.js';

describe('what can be reached from this machine alone', () => {
  test.each(['127.0.0.1', '127.255.255.254', '::1', '[::1]', '0:0:0:0:0:0:0:1', '::ffff:127.0.0.1', 'LocalHost'])(
    'ok/%s can',
    (host) => expect(isLoopback(host)).toBe(true),
  );
  test.each(['126.0.0.1', '128.0.0.1', '0.0.0.0', '::', '::2', '::ffff:10.0.0.1', 'localhost.example', '127.1', ''])(
    'fail/%s cannot, or is no address',
    (host) => expect(isLoopback(host)).toBe(false),
  );
});
