/**
 * A security gateway (TS 33.210): strongSwan with IKEv2 by certificates (TS 33.310), and ESP in user space over a TUN
 * device (plugin kernel-libipsec), which is always in UDP (RFC 3948).
 */

import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Child } from '../support/live/child.js';
import type { Authority, Identity } from '../support/live/pki.js';
import { eventually } from '../support/live/places.js';
import { type Place, runWithin, within } from './topology.js';

/** What a gateway knows of itself and of the other. */
export interface GatewayTerms {
  readonly place: Place;
  readonly directory: string;
  /** The DNS name in its certificate, and that in the other's. */
  readonly name: string;
  readonly other: string;
  readonly identity: Identity;
  /** The authority that vouches for the other gateway. */
  readonly anchor: Authority;
  /** Its own address, and where the other one is; `%any`: wherever it calls from, as behind a NAT. */
  readonly address: string;
  readonly otherAddress: string;
  /** The networks behind the two. */
  readonly inside: string;
  readonly otherInside: string;
}

/** The order matters: kernel-libipsec takes the tunnels before kernel-netlink can. */
const PLUGINS =
  'random nonce openssl pem pkcs1 pkcs8 x509 revocation constraints pubkey sha1 sha2 aes hmac kdf gmp gcm ' +
  'kernel-libipsec kernel-netlink socket-default vici';

function strongswanConf(directory: string): string {
  return `charon {
  load = ${PLUGINS}
  install_virtual_ip = no
  filelog { log { path = ${join(directory, 'charon.log')} } }
  plugins { vici { socket = unix://${join(directory, 'vici')} } }
}
`;
}

function swanctlConf({ name, other, address, otherAddress, inside, otherInside, ...files }: GatewayTerms): string {
  return `connections {
  za {
    version = 2
    local_addrs = ${address}
    remote_addrs = ${otherAddress}
    proposals = aes128gcm16-prfsha256-ecp256
    encap = yes
    local { auth = pubkey; certs = ${basename(files.identity.certificate)}; id = ${name} }
    remote { auth = pubkey; cacerts = ${basename(files.anchor.certificate)}; id = ${other} }
    children {
      za { local_ts = ${inside}; remote_ts = ${otherInside}; esp_proposals = aes128gcm16-ecp256 }
    }
  }
}
`
    .replaceAll('; ', '\n')
    .replace(/\{ (.*) \}/g, '{\n$1\n}');
}

export class Gateway {
  readonly #terms: GatewayTerms;
  readonly #charon: Child;

  private constructor(terms: GatewayTerms, charon: Child) {
    this.#terms = terms;
    this.#charon = charon;
  }

  static async start(terms: GatewayTerms): Promise<Gateway> {
    const { directory, identity, anchor, place } = terms;
    for (const part of ['x509', 'x509ca', 'private']) mkdirSync(join(directory, part), { recursive: true });
    const put = (file: string, part: string): void => copyFileSync(file, join(directory, part, basename(file)));
    put(identity.certificate, 'x509');
    put(identity.key, 'private');
    put(anchor.certificate, 'x509ca');
    writeFileSync(join(directory, 'strongswan.conf'), strongswanConf(directory));
    writeFileSync(join(directory, 'swanctl.conf'), swanctlConf(terms));
    // Each charon wants a /run/charon.pid of its own; `ip netns exec` has made a mount namespace for it.
    const command = within(place, ['sh', '-c', 'mount -t tmpfs none /run && exec /usr/lib/ipsec/charon']);
    const [file = '', ...args] = command;
    const charon = new Child(file, args, { env: { STRONGSWAN_CONF: join(directory, 'strongswan.conf') } });
    const gateway = new Gateway(terms, charon);
    await eventually(`charon of ${place} answers`, () => gateway.#loads());
    return gateway;
  }

  /** Sets the tunnel up, anew where it stands. */
  connect(): void {
    try {
      this.#swanctl('--terminate', '--ike', 'za', '--timeout', '5');
    } catch {
      // There was none.
    }
    this.#swanctl('--initiate', '--child', 'za', '--timeout', '20');
  }

  /** The security associations as swanctl prints them. */
  associations(): string {
    return this.#swanctl('--list-sas');
  }

  stop(): Promise<void> {
    return this.#charon.stop();
  }

  #loads(): boolean {
    if (this.#charon.ended) throw new Error(`charon ended:\n${this.#charon.output}`);
    try {
      this.#swanctl('--load-all');
      return true;
    } catch {
      return false;
    }
  }

  #swanctl(...args: readonly string[]): string {
    const { place, directory } = this.#terms;
    const command = [
      'env',
      `SWANCTL_DIR=${directory}`,
      'swanctl',
      ...args,
      '--uri',
      `unix://${join(directory, 'vici')}`,
    ];
    return runWithin(place, command);
  }
}
