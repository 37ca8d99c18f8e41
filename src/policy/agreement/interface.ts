/** One interface of the policy file, checked by itself and compiled. What it shares with others is for the claims. */

import { z } from 'zod';
import { type PortRange, parsePortRange, portsText } from '../../net/address/index.js';
import type { Interface } from '../../trust/agreement/index.js';
import { flag, type Site, word } from '../reading/index.js';
import { checkName, parseListen } from '../values/index.js';

/** An interface as the file holds it. */
export const INTERFACE = z.strictObject({
  name: word('the name of the interface'),
  listen: word('an IP address and a port, as in 10.0.0.1:5062'),
  mechanism: z.enum(['nds-ip']),
  implicit_trust: flag.optional(),
  shared: flag.optional(),
  allow_null_encryption: flag.optional(),
  source_ports: z
    .array(z.union([z.number(), word('a port range')]))
    .min(1)
    .describe('a list of ports and ranges, as in [5062, "20000-20099"]')
    .optional(),
});

export type InterfaceInput = z.infer<typeof INTERFACE>;

/** Where whoever looks a network up in the DNS comes (RFC 3263 §4.2): no socket there belongs to one path alone. */
const EVERYBODYS_PORTS: ReadonlySet<number> = new Set([5060, 5061]);

/** Compiles an interface; undefined where its socket cannot be told. */
export function compileInterface(input: InterfaceInput, site: Site): Interface | undefined {
  checkName(input.name, site.at('name'));
  const sourcePorts = input.source_ports && portRanges(input.source_ports, site.at('source_ports'));
  const listen = parseListen(input.listen, site.at('listen'), 1);
  if (!listen) return undefined;
  const { address, port } = listen;
  if (address === '0.0.0.0' || address === '::') {
    const text = `expected one local address, found ${address}: every path leads there, also unprotected ones`;
    site.at('listen').report('bad-address', text);
  }
  const shared = input.shared ?? EVERYBODYS_PORTS.has(port);
  const iface: Interface = {
    name: input.name,
    address,
    port,
    mechanism: input.mechanism,
    implicitTrust: input.implicit_trust ?? false,
    shared,
    sourcePorts,
    allowNullEncryption: input.allow_null_encryption ?? false,
  };
  checkShared(iface, input, site);
  checkNullEncryption(iface, site.at('allow_null_encryption'));
  return iface;
}

function portRanges(given: readonly (string | number)[], site: Site): readonly PortRange[] {
  const ranges = new Map<string, PortRange>();
  for (const [index, value] of given.entries()) {
    const range = parsePortRange(String(value));
    const name = range && portsText([range]);
    if (!range || name === undefined) {
      const expected = 'expected a port from 1 to 65535 or a range of them, as in 5062 or "20000-20099"';
      site.at(index).report('bad-port', `${expected}, found ${JSON.stringify(value)}`);
    } else if (ranges.has(name)) {
      site.at(index).report('repeated-value', `${name} stands in this list already`);
    } else {
      ranges.set(name, range);
      if (range.first === 1 && range.last === 65535) {
        site.at(index).report('no-effect', 'every port is in this range: no port stands for the path');
      }
    }
  }
  return [...ranges.values()];
}

/** A socket that others reach too, where only the source address would tell the path: anybody can write that. */
function checkShared({ name, port, shared, sourcePorts, implicitTrust }: Interface, input: InterfaceInput, site: Site) {
  if (!shared || sourcePorts !== undefined || !implicitTrust) return;
  const why = input.shared ? 'others reach it too' : `strangers come to port ${port} too (RFC 3263 §4.2)`;
  const cure = 'expected a socket of its own, or source_ports that only the security gateway can use';
  const text = `interface ${name}: ${why}, and whoever spoofs a source address is trusted there: ${cure}`;
  site.at(input.shared ? 'shared' : 'listen').report('shared-interface', text);
}

/** What does not encrypt needs a path that does: nobody else may come by this socket, or from these ports. */
function checkNullEncryption({ name, shared, sourcePorts, allowNullEncryption }: Interface, site: Site): void {
  if (!allowNullEncryption) return;
  if (shared && sourcePorts === undefined) {
    const text = `others reach interface ${name} too: expected a socket of the path alone, or source_ports`;
    site.report('null-on-shared', text);
    return;
  }
  site.report(
    'null-encryption',
    `TLS without encryption is taken on interface ${name}: the path alone keeps calls private`,
  );
}
