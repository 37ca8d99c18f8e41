/** Trust by path: a policy with one interface and one network behind it, and evidence of what arrives there. */

import { parsePrefix } from '../../src/net/address/prefix.js';
import { PrefixTable } from '../../src/net/address/prefix-table.js';
import type { Agreement, Interface } from '../../src/trust/agreement/agreement.js';
import type { Snapshot } from '../../src/trust/agreement/snapshot.js';
import type { Evidence } from '../../src/trust/evidence/evidence.js';
import { evidenceWith } from './evidence.js';
import { agreementWith, snapshotWith } from './snapshot.js';

/** A socket that belongs to the path alone. */
export const za: Interface = {
  name: 'za',
  address: '198.51.100.1',
  port: 5062,
  mechanism: 'nds-ip',
  implicitTrust: true,
  shared: false,
  allowNullEncryption: false,
  sourcePorts: undefined,
};

export function prefix(text: string) {
  const found = parsePrefix(text);
  if ('invalid' in found) throw new Error(found.invalid);
  return found;
}

/** An agreement by path with op-c on c.example; `over` replaces what a test is about. */
export function legacyC(over: Partial<Agreement> = {}): Agreement {
  return agreementWith({
    name: 'op-c-legacy',
    domains: ['c.example'],
    mechanism: 'nds-ip',
    asserts: { domains: ['c.example'], numbers: 'any', transit: false },
    interface: 'za',
    sources: ['192.0.2.0/28', '2001:db8:c::/48'].map(prefix),
    ...over,
  });
}

/** A policy with these agreements, those by path behind the interface `za`. */
export function ndsSnapshot(
  iface: Partial<Interface> = {},
  agreements: readonly Agreement[] = [legacyC()],
  over: Partial<Snapshot> = {},
): Snapshot {
  const entries = agreements.flatMap((each) => Array.from(each.sources, (source) => [source, each] as const));
  const sources = new Map([['za', PrefixTable.of(entries)]]);
  return snapshotWith(agreements, { interfaces: [{ ...za, ...iface }], sources, ...over });
}

/** What arrived on the interface over UDP. */
export function overUdp(over: Partial<Evidence> = {}): Evidence {
  return evidenceWith({
    transport: 'udp',
    tls: undefined,
    localPort: 5062,
    connectionId: undefined,
    sourceAddress: '192.0.2.9',
    ...over,
  });
}
