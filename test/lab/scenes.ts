/** The scenes of the lab, in the order of the story: what is claimed, who calls, and what must come of it. */

import type { Policy, StandardPolicy } from '../support/live/daemon.js';
import * as edge from './edges.js';
import { natted, tunnelled, warns } from './proofs.js';
import type { Must, Scene } from './scene.js';
import * as at from './topology.js';

const ALICE = '"Alice" <sip:alice@a.example>';
const CAROL = '<sip:carol@b.example>';

const BELIEVED: Must = { verdict: 'not judged', assurance: 'none', arrives: ALICE };
const trusted = (assurance: string, reason: string, arrives = ALICE): Must => ({
  ...{ verdict: 'trusted', assurance, reason, arrives },
});
const untrusted = (reason: string, assurance = 'none'): Must => ({
  ...{ verdict: 'untrusted', assurance, reason, arrives: 'without' },
});
const NOTHING: Must = { verdict: '-', assurance: 'none', arrives: 'nothing' };

/** The socket that SEG2 leads to is an interface, and CSCF1's network is known by it. */
function byPath(terms: Readonly<Record<string, unknown>>): (standard: StandardPolicy) => Policy {
  return (standard) => {
    const agreements = standard.agreements;
    const legacy = { name: 'op-a', domains: ['a.example'], mechanism: 'nds-ip', interface: 'za' };
    return {
      ...standard,
      interfaces: [{ name: 'za', listen: `${at.CSCF2_ZA}:5060`, mechanism: 'nds-ip', implicit_trust: true, ...terms }],
      agreements: [{ ...legacy, sources: [at.IMS1_PREFIX] }, ...agreements.filter(({ name }) => name !== 'op-a')],
    };
  };
}

const byTls = (standard: StandardPolicy): Policy => standard;

/** A filter in SEG2 over what goes to IMS2. */
const seg2 = (...rules: readonly string[]): string =>
  `table ip seg { chain forward { type filter hook forward priority 0
  ${rules.join('\n  ')}
}
}`;
const CLEAR = 'oifname "to-ims2" iifname != "ipsec0"';

const ONLY_TUNNEL = seg2(`${CLEAR} counter drop`);
/** What RFC 4301 §5.2 asks of an IPsec gateway: in clear nothing comes in that a tunnel is there for. */
const SELECTORS = seg2(`${CLEAR} ip saddr ${at.IMS1_PREFIX} counter drop`);
const PATH_PORT = 5062;
const REWRITES = 'oifname "to-ims2" iifname "ipsec0" udp dport 5060 udp sport set 5062';
const KEEPS_PORT = `${CLEAR} udp sport ${PATH_PORT} counter drop`;

/** IMS1 behind one address, as IMS2 sees it. */
const MASQUERADE = `table ip nat { chain leaves { type nat hook postrouting priority srcnat
  iifname "to-seg1" oifname { "to-seg2", "to-ims2" } masquerade
}
}`;

const spoofed = (target: string, port = 5060) => ({ spoofed: { target, port } });
const stoppedInSeg2 = (target: string, port = 5060) => ({ spoofed: { target, port, stopped: 'seg2' as const } });

export const SCENES: readonly Scene[] = [
  {
    name: '1 Rel-5: CSCF1 by the gateways, no siptrust',
    act: 'without',
    claim: '§2 Rel-5 IMS "just blindly trusts all inter-connected networks based on the presence of the SEG"',
    calls: [{ who: 'CSCF1 by the gateways', by: { edge: edge.CSCF1_BY_GATEWAYS }, asserts: ALICE, must: BELIEVED }],
    proofs: [{ what: 'the SIP of CSCF1 on the core', show: tunnelled }],
    holds: 'holds: the path is safe, and who is at its end is hoped',
  },
  {
    name: '2 the rogue, no siptrust',
    act: 'without',
    claim: '§2 a proxy can "spoof an IP address" and send "with source of an IMS CSCF1, via SEG2"',
    calls: [
      { who: 'the rogue as CSCF1, by SEG2 in clear', by: spoofed(at.CSCF2_ZA), asserts: ALICE, must: BELIEVED },
      { who: 'the rogue as CSCF1, past SEG2', by: spoofed(at.CSCF2), asserts: ALICE, must: BELIEVED },
    ],
    holds: 'holds: CSCF2 cannot tell the two apart',
  },
  {
    name: '2a the rogue, SEG2 checks what has a tunnel',
    act: 'without',
    claim: '§2 the same; TS 33.203 NOTE 2 "the SEG will drop the packet"',
    seg2: SELECTORS,
    calls: [
      { who: 'CSCF1 by the gateways', by: { edge: edge.CSCF1_BY_GATEWAYS }, asserts: ALICE, must: BELIEVED },
      { who: 'the rogue as CSCF1, by SEG2 in clear', by: stoppedInSeg2(at.CSCF2_ZA), asserts: ALICE, must: NOTHING },
      { who: 'the rogue as CSCF1, past SEG2', by: spoofed(at.CSCF2), asserts: ALICE, must: BELIEVED },
    ],
    holds: 'holds in part: a SEG that checks (RFC 4301 §5.2) is no way in; every other way to CSCF2 still is',
  },
  {
    name: '3 NDS/IP by a socket of its own',
    act: 'with',
    claim: '§2 "the currently specified SEG mechanism is not sufficient"; a table of addresses is a possible cure',
    seg2: ONLY_TUNNEL,
    policy: byPath({ shared: false }),
    calls: [
      {
        ...{ who: 'CSCF1 by the gateways', by: { edge: edge.CSCF1_BY_GATEWAYS }, asserts: ALICE },
        must: trusted('za', 'trusted-by-config'),
      },
      { who: 'the rogue as CSCF1, past SEG2', by: spoofed(at.CSCF2), asserts: ALICE, must: untrusted('no-tls') },
      { who: 'the rogue as CSCF1, by SEG2 in clear', by: stoppedInSeg2(at.CSCF2_ZA), asserts: ALICE, must: NOTHING },
    ],
    proofs: [{ what: 'the SIP of CSCF1 on the core', show: tunnelled }],
    holds: 'holds; closed where the socket is reached by the tunnel alone: trust in a path, not in a name',
  },
  {
    name: '4 one socket for everybody',
    act: 'with',
    claim: '§2 "the destination CSCF cannot detect the SIP message is unprotected"',
    policy: byPath({}),
    calls: [
      {
        ...{ who: 'CSCF1 by the gateways', by: { edge: edge.CSCF1_BY_GATEWAYS }, asserts: ALICE },
        must: trusted('address', 'trusted-by-address'),
      },
      {
        ...{ who: 'the rogue as CSCF1, by SEG2 in clear', by: spoofed(at.CSCF2_ZA), asserts: ALICE },
        must: trusted('address', 'trusted-by-address'),
      },
    ],
    proofs: [{ what: 'siptrustd --check', show: warns(/whoever spoofs a source address is trusted there/) }],
    holds: 'holds: still a hole; siptrust says that the verdict rests on an address, and --check warns',
  },
  {
    name: '5 SEG2 writes the port',
    act: 'with',
    claim: '§5 "the receiving SEG needs to update the port number"; "rather complicated function in SEG"',
    seg2: seg2(REWRITES, KEEPS_PORT),
    policy: byPath({ source_ports: [PATH_PORT] }),
    calls: [
      {
        ...{ who: 'CSCF1 by the gateways', by: { edge: edge.CSCF1_BY_GATEWAYS }, asserts: ALICE },
        must: trusted('za', 'trusted-by-config'),
      },
      {
        ...{ who: 'the rogue as CSCF1, by SEG2 in clear', by: spoofed(at.CSCF2_ZA), asserts: ALICE },
        must: untrusted('nds-port'),
      },
      {
        ...{
          who: 'the rogue, from that port',
          by: stoppedInSeg2(at.CSCF2_ZA, PATH_PORT),
          asserts: ALICE,
          must: NOTHING,
        },
      },
    ],
    holds: 'holds: it closes the hole, if SEG2 also keeps others from that port (5a)',
  },
  {
    name: '5a SEG2 writes the port, and keeps nobody from it',
    act: 'with',
    claim: '§5 the same',
    seg2: seg2(REWRITES),
    policy: byPath({ source_ports: [PATH_PORT] }),
    calls: [
      {
        ...{ who: 'the rogue, from that port', by: spoofed(at.CSCF2_ZA, PATH_PORT), asserts: ALICE },
        must: trusted('za', 'trusted-by-config'),
      },
    ],
    holds: 'holds: half of the cure is a hole',
  },
  {
    name: '6 TLS end to end',
    act: 'with',
    claim: '§3 "TLS works end-to-end, and therefore solves the issue best way"',
    policy: byTls,
    calls: [
      {
        ...{ who: 'CSCF1 by TLS', by: { edge: edge.CSCF1_BY_TLS }, asserts: ALICE },
        must: trusted('tls-certificate', 'agreement-covers'),
      },
      {
        ...{ who: 'the rogue as CSCF1, TLS', by: { spoofedTls: { target: at.CSCF2 } }, asserts: ALICE },
        must: NOTHING,
      },
      {
        ...{ who: 'the rogue by TLS, no certificate', by: { edge: edge.ROGUE_WITHOUT_CERTIFICATE }, asserts: ALICE },
        must: untrusted('no-client-cert'),
      },
      {
        ...{ who: 'the rogue by TLS, its own certificate', by: { edge: edge.ROGUE_WITH_FORGERY }, asserts: ALICE },
        must: untrusted('bad-signature'),
      },
      { who: 'the rogue as CSCF1, past SEG2', by: spoofed(at.CSCF2), asserts: ALICE, must: untrusted('no-tls') },
      { who: 'the rogue as CSCF1, by SEG2', by: spoofed(at.CSCF2_ZA), asserts: ALICE, must: untrusted('no-tls') },
    ],
    holds: 'holds: closed, whatever path and gateway do',
  },
  {
    name: '7 non-IMS by TLS, with an agreement',
    act: 'with',
    claim: '§3 "The same logic would work with non-IMS interworking scenario"',
    policy: byTls,
    calls: [
      {
        ...{ who: 'the proxy of b.example', by: { edge: edge.PROXY_BY_TLS }, asserts: CAROL },
        must: trusted('tls-certificate', 'agreement-covers', CAROL),
      },
    ],
    holds: 'holds',
  },
  {
    name: '8 non-IMS by TLS, no agreement',
    act: 'with',
    claim: '§3 what "is not on the list" is "an untrusted network"; TLS alone is no trust',
    policy: (standard) => ({
      ...standard,
      agreements: standard.agreements.filter(({ name }) => name !== 'op-b'),
    }),
    calls: [
      {
        ...{ who: 'the proxy of b.example', by: { edge: edge.PROXY_BY_TLS }, asserts: CAROL },
        must: untrusted('not-listed'),
      },
    ],
    holds: 'holds, on the connection that was trusted before',
  },
  {
    name: '9 non-IMS without TLS',
    act: 'with',
    claim: '§3 "If the TLS is not supported in the next hop, then the network is untrusted"',
    policy: byTls,
    calls: [
      {
        ...{ who: 'the proxy in clear', by: { edge: edge.PROXY_IN_CLEAR }, asserts: CAROL },
        must: untrusted('no-tls'),
      },
    ],
    holds: 'holds: the call goes on, the identity does not',
  },
  {
    name: "10 a compromised partner asserts another partner's user",
    act: 'with',
    claim: '§2 in "case of a compromised network" the CSCF "has no possibility to detect the attack"',
    policy: byTls,
    calls: [
      {
        ...{ who: 'CSCF1 by TLS, as a user of b.example', by: { edge: edge.CSCF1_BY_TLS }, asserts: CAROL },
        must: { ...trusted('tls-certificate', 'assert-foreign'), arrives: 'without' },
      },
      {
        ...{ who: 'CSCF1 by TLS, as its own user', by: { edge: edge.CSCF1_BY_TLS }, asserts: ALICE },
        must: trusted('tls-certificate', 'agreement-covers'),
      },
    ],
    holds: 'holds for the bare SEG; with a name for the peer the lie shows',
  },
  {
    name: '10a the same by the gateways',
    act: 'with',
    claim: '§2 the same',
    seg2: ONLY_TUNNEL,
    policy: byPath({ shared: false }),
    calls: [
      {
        ...{ who: 'CSCF1 by the gateways, as a user of b', by: { edge: edge.CSCF1_BY_GATEWAYS }, asserts: CAROL },
        must: { ...trusted('za', 'assert-foreign'), arrives: 'without' },
      },
    ],
    holds: 'does not hold where the socket stands for the path and an agreement says who is behind it',
  },
  {
    name: '11 NAT between the networks',
    act: 'with',
    claim: '§4.2 "TLS passes IPv4 NAT without problems, but IPSec requires NAT Traversal"',
    core: MASQUERADE,
    policy: byTls,
    calls: [
      {
        who: 'CSCF1 by TLS, its address translated',
        by: { edge: edge.CSCF1_BY_TLS, source: at.CORE_TO_IMS2 },
        asserts: ALICE,
        must: trusted('tls-certificate', 'agreement-covers'),
      },
    ],
    holds: 'holds',
  },
  {
    name: '11a NAT between the gateways',
    act: 'with',
    claim: '§4.2 the same',
    core: MASQUERADE,
    seg2: ONLY_TUNNEL,
    policy: byPath({ shared: false }),
    calls: [
      {
        ...{ who: 'CSCF1 by the gateways', by: { edge: edge.CSCF1_BY_GATEWAYS }, asserts: ALICE },
        must: trusted('za', 'trusted-by-config'),
      },
    ],
    proofs: [
      { what: 'the tunnel at SEG2', show: natted },
      { what: 'the SIP of CSCF1 on the core', show: tunnelled },
    ],
    holds: 'holds: it needs UDP encapsulation and a SEG2 that takes a peer from any address; then it passes',
  },
  {
    name: '12 an IPv4-only peer, an IPv6 IMS',
    act: 'ipv6',
    claim: '§4.2 "TLS passes IPv4/v6 NAT-PT without problems"',
    policy: byTls,
    calls: [
      {
        who: 'CSCF1 by TLS over NAT64',
        by: { edge: edge.CSCF1_BY_NAT64, source: at.NAT64_OF_CSCF1 },
        asserts: ALICE,
        must: trusted('tls-certificate', 'agreement-covers'),
      },
    ],
    holds: 'holds: the name in the certificate is the same in both families',
  },
  {
    name: '12a the same, trusted by address',
    act: 'ipv6',
    claim: '§2 a table of addresses "shall introduce big operation overload"',
    policy: byPath({ listen: `[${at.CSCF2_IPV6}]:5060`, shared: false }),
    calls: [
      {
        who: 'CSCF1 in clear over NAT64',
        by: { edge: edge.CSCF1_CLEAR_BY_NAT64, source: at.NAT64_OF_CSCF1 },
        asserts: ALICE,
        must: untrusted('nds-range'),
      },
    ],
    holds: 'holds: behind a translator the address in the agreement is no longer the one that calls',
  },
];
