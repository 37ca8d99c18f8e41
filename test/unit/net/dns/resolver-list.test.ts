import { expect, test } from 'vitest';
import { listedResolvers } from '../../../../src/net/dns/resolver-list.js';

const cases: readonly [name: string, text: string, expected: readonly string[]][] = [
  ['ok/addresses of both families', 'nameserver 192.0.2.53\nnameserver 2001:DB8::53\n', ['192.0.2.53', '2001:db8::53']],
  ['ok/a link-local address keeps its zone', 'nameserver fe80::1%eth0', ['fe80::1%eth0']],
  ['ok/other lines', '# nameserver 192.0.2.1\nsearch b.example\noptions ndots:1\n nameserver 192.0.2.2\n', []],
  ['ok/what stands behind', 'nameserver\t192.0.2.1 # ours', ['192.0.2.1']],
  [
    'ok/no more than three',
    [1, 2, 3, 4].map((at) => `nameserver 192.0.2.${at}`).join('\n'),
    ['192.0.2.1', '192.0.2.2', '192.0.2.3'],
  ],
  ['fail/no address', 'nameserver resolver.example\nnameserver 192.0.2\nnameserver', []],
];
for (const [name, text, expected] of cases) {
  test(name, () => expect(listedResolvers(text).map(({ address }) => address)).toEqual(expected));
}
