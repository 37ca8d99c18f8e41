import { Refusal } from '../terminal/index.js';
import type { Address } from './handshake.js';

/**
 * `sbc.b.example:5061`, `192.0.2.7` (port 5061), `[2001:db8::7]:5061`.
 * @throws {Refusal} it is none of these
 */
export function targetOf(text: string): Address {
  const [, bracketed, name, digits = '5061'] = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:]+))(?::([0-9]{1,5}))?$/.exec(text) ?? [];
  const host = bracketed ?? name;
  const port = Number(digits);
  if (host !== undefined && port > 0 && port < 65536) return { host, port };
  throw new Refusal(
    `expected HOST:PORT, as in sbc.b.example:5061 or [2001:db8::7]:5061, found ${JSON.stringify(text)}`,
    2,
  );
}
