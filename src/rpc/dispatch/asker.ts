import type { CallContext } from './method.js';

/** Who asks, for people: `token noc from 192.0.2.7:40222`, `root (on its word) from /run/siptrust/siptrust.sock`. */
export function askerOf({ peer, credential = '', claimed = '' }: CallContext): string {
  if (credential !== '') return `${credential} from ${peer}`;
  return claimed === '' ? `somebody from ${peer}` : `${claimed} (on its word) from ${peer}`;
}
