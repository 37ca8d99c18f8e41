import { parseAddress } from './address.js';

/** Whether a host (address, or name of a machine) can be reached from this machine alone: 127.0.0.0/8, ::1, localhost. */
export function isLoopback(host: string): boolean {
  const address = parseAddress(host);
  if (address === undefined) return host.toLowerCase() === 'localhost';
  return address.bytes.length === 4 ? address.bytes[0] === 127 : address.text === '::1';
}
