/** The proxies of the other networks. Each vouches for what its users assert, rightly or not. */

import type { Network } from '../support/live/network.js';
import type { Identity } from '../support/live/pki.js';
import type { Edge } from './scene.js';
import * as at from './topology.js';

function certificateOfA(network: Network): Identity {
  return network.certificateOfA();
}

const cscf1 = { place: 'ims1', host: at.CSCF1, user: at.USER1, identity: certificateOfA } as const;

/** CSCF1 of Rel-5: it knows no TLS, its gateway takes care of all. */
export const CSCF1_BY_GATEWAYS: Edge = { ...cscf1, name: 'CSCF1 by the gateways', nextHop: `sip:${at.CSCF2_ZA}:5060` };

/** CSCF1 with a certificate for a.example, past the tunnel. */
export const CSCF1_BY_TLS: Edge = { ...cscf1, name: 'CSCF1 by TLS', nextHop: `sip:${at.CSCF2}:5061;transport=tls` };

/** The same to an IPv6 network, which it knows by an IPv4 address. */
export const CSCF1_BY_NAT64: Edge = {
  ...cscf1,
  name: 'CSCF1 by TLS over NAT64',
  nextHop: `sip:${at.CSCF2_BY_NAT64}:5061;transport=tls`,
};
export const CSCF1_CLEAR_BY_NAT64: Edge = {
  ...cscf1,
  name: 'CSCF1 in clear over NAT64',
  nextHop: `sip:${at.CSCF2_BY_NAT64}:5060`,
};

/** A network that is no IMS, with a certificate for b.example. */
export const PROXY_BY_TLS: Edge = {
  name: 'non-IMS proxy by TLS',
  ...{ place: 'tls', host: at.PROXY_TLS, user: '203.0.113.35' },
  nextHop: `sip:${at.CSCF2}:5061;transport=tls`,
  identity: (network) =>
    network.pki.certificate({ issuer: network.cast.operatorB, names: ['DNS:b.example'], commonName: 'b.example' }),
};

/** One that has no TLS. (Its sample script listens for TLS; nobody comes.) */
export const PROXY_IN_CLEAR: Edge = {
  name: 'non-IMS proxy in clear',
  ...{ place: 'plain', host: at.PROXY_PLAIN, user: '203.0.113.43' },
  nextHop: `sip:${at.CSCF2}:5060`,
  identity: certificateOfNobody,
};

const rogue = {
  place: 'rogue',
  host: at.ROGUE,
  user: '203.0.113.51',
  nextHop: `sip:${at.CSCF2}:5061;transport=tls`,
} as const;

export const ROGUE_WITHOUT_CERTIFICATE: Edge = {
  ...rogue,
  name: 'the rogue by TLS, no certificate',
  identity: certificateOfNobody,
  tls: 'test/lab/rogue-tls.cfg',
};

/** CSCF1's name, signed by the rogue itself. */
export const ROGUE_WITH_FORGERY: Edge = {
  ...rogue,
  name: 'the rogue by TLS, a certificate of its own making',
  identity: (network) => network.certificateOfA({ issuer: network.pki.authority('Operator A') }),
};

function certificateOfNobody(network: Network): Identity {
  return network.pki.certificate({ issuer: undefined, names: ['DNS:nobody.example'], commonName: 'nobody.example' });
}
