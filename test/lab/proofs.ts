/** What scenes show beside their calls. */

import type { Lab } from './lab.js';
import type { Call, Finding, Scene } from './scene.js';
import { CORE_TO_SEG2, SEG2 } from './topology.js';

/** The calls of CSCF1 have crossed the core as ESP in UDP (RFC 3948) and not in clear; what the rogue sends does. */
export async function tunnelled(lab: Lab, { calls }: Scene): Promise<Finding> {
  const esp = (await lab.packets()).filter(({ protocols }) => protocols.includes('esp'));
  const inUdp = esp.filter(
    ({ protocols, destinationPort }) => protocols.includes('udpencap') && destinationPort === 4500,
  );
  const inClear = async (chosen: readonly Call[]): Promise<number> => {
    const shown = await Promise.all(chosen.map((call) => lab.capture.shows(lab.subjectOf(call))));
    return shown.filter(Boolean).length;
  };
  const tunnel = calls.filter(({ by }) => 'edge' in by);
  const others = calls.filter(({ by }) => 'spoofed' in by);
  const readable = await inClear(tunnel);
  const rogue = others.length === 0 ? '' : `; the rogue's: ${await inClear(others)} of ${others.length}`;
  return {
    found: `${inUdp.length} ESP packets in UDP; INVITEs in clear: ${readable} of ${tunnel.length}${rogue}`,
    holds:
      inUdp.length > 0 && inUdp.length === esp.length && readable === 0 && (await inClear(others)) === others.length,
  };
}

/** SEG2 knows the other gateway by the address of the NAT, and all ESP from there comes in UDP. */
export async function natted(lab: Lab): Promise<Finding> {
  const associations = lab.seg2.associations();
  const remote = /remote +'[^']+' @ (\S+)/.exec(associations)?.[1] ?? 'nobody';
  const packets = await lab.packets();
  const esp = packets.filter(
    ({ protocols, source, destination }) =>
      protocols.includes('esp') && source === CORE_TO_SEG2 && destination === SEG2,
  );
  const inUdp = associations.includes('TUNNEL-in-UDP');
  return {
    found: `peer ${remote}, ${inUdp ? 'tunnel in UDP' : 'no UDP'}, ${esp.length} ESP packets from the NAT`,
    holds: remote.startsWith(CORE_TO_SEG2) && inUdp && esp.length > 0,
  };
}

/** `siptrustd --check` warns about the policy in force. */
export function warns(about: RegExp): (lab: Lab) => Promise<Finding> {
  return async (lab) => {
    const output = await lab.check();
    const warning = output.split('\n').find((line) => line.includes(' warning: ') && about.test(line));
    return {
      found: warning === undefined ? `no such warning: ${output}` : (about.exec(warning)?.[0] ?? ''),
      holds: warning !== undefined,
    };
  };
}
