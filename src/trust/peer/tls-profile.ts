/** Whether version and cipher of a TLS connection are good enough where it was seen. */

import { holdsPort } from '../../net/address/index.js';
import type { CoverContext } from '../cover/index.js';
import { type Evidence, type TlsEvidence, type TlsFloorResult, tlsFloor } from '../evidence/index.js';
import type { Trail } from '../verdict/index.js';
import { findInterface } from './nds.js';

/**
 * Whether the connection encrypts, or need not. Where the path encrypts, TLS need not (seed §5): on an NDS/IP
 * interface, if the policy says so, and only for what came by the path.
 */
export function encryptionHolds(evidence: Evidence, tls: TlsEvidence, context: CoverContext): boolean {
  const floor = tlsFloor(tls.version, tls.cipher);
  if (floor.nullEncryption === 'no') return true;
  const refused = whyNotNull(floor, evidence, context);
  if (refused !== undefined) {
    context.trail.fail('encryption', 'null-encryption', `${floor.detail}: ${refused}`);
    return false;
  }
  context.trail.note('encryption', 'null-encryption', `${floor.detail}: the interface has allow_null_encryption`);
  return true;
}

function whyNotNull({ nullEncryption }: TlsFloorResult, evidence: Evidence, { snapshot }: CoverContext) {
  const iface = findInterface(snapshot, evidence);
  if (iface === undefined) return 'the socket is no nds-ip interface';
  if (!iface.allowNullEncryption) return `interface ${iface.name} does not set allow_null_encryption`;
  if (nullEncryption !== 'authentic') return 'the cipher does not authenticate both sides and each record';
  if (iface.sourcePorts === undefined) return iface.shared ? `others reach interface ${iface.name} too` : undefined;
  return holdsPort(iface.sourcePorts, evidence.sourcePort) ? undefined : 'the source port is none of the path';
}

/** Whether version and cipher reach the floor of TS 33.210 §6.2; what does not encrypt was judged by `encryptionHolds`. */
export function floorHolds({ version, cipher }: TlsEvidence, trail: Trail): boolean {
  const { ok, detail, nullEncryption } = tlsFloor(version, cipher);
  if (nullEncryption !== 'no') return true;
  if (ok) trail.pass('tls profile', detail, 'TS 33.210 §6.2');
  else trail.fail('tls profile', 'tls-profile', detail);
  return ok;
}
