/** Partners as they come: below a public CA with intermediates, with machines of their own; an agreement of each kind. */

import { join } from 'node:path';
import { startNameServer } from '../name-server.js';
import type { Build } from './kamailio.js';
import { Network } from './network.js';
import { type Authority, type Identity, Pki } from './pki.js';
import { loopbackBlock, runDirectory } from './places.js';
import { TlsUas } from './uas.js';

/** Who answers, by the host part of the address, and the name in the certificate there. */
const PLACES = {
  /** Each with an agreement for a domain. */
  machine: [10, 'edge-1.d.example'],
  unlisted: [11, 'edge-1.e.example'],
  required: [12, 'edge-1.r.example'],
  wildcard: [13, '*.pstn.w.example'],
  refusedWildcard: [14, '*.v.example'],
  second: [15, 'two.example'],
  /** Behind two intermediates; its answers bear an identity of its own. */
  deep: [20, 'k.example'],
  trial: [16, 'm.example'],
  failedTrial: [17, 'n.example'],
  /** No agreement names the domain that leads there. */
  anybody: [18, 'edge.anybody.example'],
  somebody: [19, 'b.example'],
} as const;

type Place = keyof typeof PLACES;

/** What an agreement lets identities bear as host, besides its domain. */
export const ASSERTED_HOST = '192.0.2.7';

/** Where domains lead that have no `targets`, or none that count. */
const BY_DNS: Readonly<Record<string, Place>> = {
  'm.example': 'trial',
  'n.example': 'failedTrial',
  'anybody.example': 'anybody',
  'somebody.example': 'somebody',
};

/** The records of a network that offers TLS (RFC 3263 §4.1). */
function recordsTo(address: string): string {
  return `
@ 5 IN NAPTR 10 10 "s" "SIPS+D2T" "" _sips._tcp
_sips._tcp 5 IN SRV 10 0 5061 sbc
sbc 5 IN A ${address}`;
}

export interface PartnerStage {
  readonly network: Network;
  /** Below the public root (the third below the first), and below a root that the proxy accepts and no agreement names. */
  readonly intermediates: Readonly<Record<'first' | 'second' | 'third' | 'foreign', Authority>>;
  readonly places: Readonly<Record<Place, TlsUas>>;
  /** A certificate for this name, with the intermediates that it was issued by. */
  certificate(name: string, issuer?: keyof PartnerStage['intermediates']): Identity;
  stop(): Promise<void>;
}

export async function startPartners(build: Build): Promise<PartnerStage> {
  const { path, remove } = runDirectory();
  const pki = new Pki(join(path, 'pki'));
  const root = pki.authority('Public Root');
  const other = pki.authority('Other Root');
  const first = pki.authority('Public Issuing CA 1', { issuer: root });
  const intermediates = {
    first,
    second: pki.authority('Public Issuing CA 2', { issuer: root }),
    third: pki.authority('Public Issuing CA 3', { issuer: first }),
    foreign: pki.authority('Other Issuing CA', { issuer: other }),
  };
  const certificate = (name: string, issuer: keyof typeof intermediates = 'first'): Identity => {
    const authority = intermediates[issuer];
    return pki.chained(pki.certificate({ issuer: authority, names: [`DNS:${name}`] }), [
      authority,
      ...(issuer === 'third' ? [first] : []),
    ]);
  };
  const open: { stop(): unknown }[] = [{ stop: remove }];
  const stop = async (): Promise<void> => {
    for (const each of open.reverse()) await each.stop();
  };
  try {
    const host = loopbackBlock();
    const at = Object.entries(PLACES).map(async ([place, [number, name]]) => {
      const issuer = { anybody: 'foreign', failedTrial: 'foreign', deep: 'third' } as const;
      const identity = certificate(name, place in issuer ? issuer[place as keyof typeof issuer] : 'first');
      const answers = place === 'deep' ? { extra: [`P-Asserted-Identity: <sip:bob@${name}>`] } : {};
      const uas = await TlsUas.start(host(number), identity, answers);
      open.push(uas);
      return [place, uas] as const;
    });
    const places = Object.fromEntries(await Promise.all(at)) as Record<Place, TlsUas>;
    const names = await startNameServer(
      Object.fromEntries(Object.entries(BY_DNS).map(([domain, place]) => [domain, recordsTo(places[place].host)])),
    );
    open.push({ stop: () => names.close() });
    const agreement = (letter: string, place: Place | undefined, more: object = {}) => ({
      ...{ name: `op-${letter}`, domains: [`${letter}.example`], mechanism: 'tls', revocation: 'off' },
      ...{ anchors: [root.certificate], interconnect: 'non-roaming' },
      ...(place === undefined ? {} : { targets: [`${places[place].host}:5061`] }),
      ...more,
    });
    const network = await Network.start({
      build,
      authorities: [root.certificate, other.certificate],
      policy: (standard) => ({
        ...standard,
        daemon: { dns: { servers: [names.text] } },
        agreements: [
          ...standard.agreements,
          agreement('c', undefined),
          agreement('d', 'machine', { server_names: ['edge-1.d.example'] }),
          // Names what others under the same root send along, or do not.
          agreement('e', 'unlisted', { intermediates: [first.certificate] }),
          agreement('r', 'required', { require_tls: true }),
          agreement('w', 'wildcard', { wildcard_names: ['pstn.w.example'] }),
          agreement('v', 'refusedWildcard'),
          agreement('two', 'second', { domains: ['one.example', 'two.example'] }),
          agreement('k', 'deep'),
          agreement('m', undefined, { enforcement: 'monitor' }),
          agreement('n', undefined, { enforcement: 'monitor', require_tls: true }),
          agreement('h', undefined, { asserts: { domains: ['h.example'], hosts: [ASSERTED_HOST] } }),
        ],
      }),
    });
    open.push(network);
    return { network, intermediates, places, certificate, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
