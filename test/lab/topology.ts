/**
 * The networks of docs/lab.md as network namespaces, and how packets find their way. The namespace that the lab
 * itself runs in (test/lab/enter.sh) is IMS2, so that siptrustd and the called party are as near as in other live tests.
 *
 * All addresses are those for documentation (RFC 5737, RFC 3849).
 */

import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import type { Build } from '../support/live/kamailio.js';

export const PLACES = ['ims1', 'seg1', 'core', 'seg2', 'ims2', 'tls', 'plain', 'rogue'] as const;
export type Place = (typeof PLACES)[number];

/** Where the lab runs itself. */
const HERE: Place = 'ims2';

export const CSCF1 = '192.0.2.2';
/** A user of IMS1. */
export const USER1 = '192.0.2.10';
/** CSCF2 as its security gateway reaches it, and as everybody does, past that. */
export const CSCF2_ZA = '198.51.100.2';
export const CSCF2 = '203.0.113.18';
export const CSCF2_IPV6 = '2001:db8:2::2';
export const SEG1 = '203.0.113.2';
export const SEG2 = '203.0.113.6';
/** The other proxies, their users, and the rogue under its own address. */
export const PROXY_TLS = '203.0.113.34';
export const PROXY_PLAIN = '203.0.113.42';
export const ROGUE = '203.0.113.50';
/** What the two networks have behind their gateways: the traffic selectors of the tunnel. */
export const IMS1_PREFIX = '192.0.2.0/25';
export const IMS2_PREFIX = '198.51.100.0/25';
/** The core's own addresses, as which it masks networks, on its links to SEG2 and to CSCF2. */
export const CORE_TO_SEG2 = '203.0.113.5';
export const CORE_TO_IMS2 = '203.0.113.17';
/** CSCF2_IPV6 as IPv4 networks see it, and the prefix as which IPv6 networks see those (RFC 6052). */
export const CSCF2_BY_NAT64 = '203.0.113.64';
export const NAT64_PREFIX = '2001:db8:64::';
/** CSCF1 as CSCF2_IPV6 sees it. */
export const NAT64_OF_CSCF1 = `${NAT64_PREFIX}c000:202`;
const NAT64_ROUTER = '203.0.113.65';

interface End {
  readonly place: Place;
  /** Name of the network device. */
  readonly device: string;
  readonly addresses: readonly string[];
}

const LINKS: readonly (readonly [End, End])[] = [
  link('ims1', 'seg1', [`${CSCF1}/25`, `${USER1}/25`], ['192.0.2.1/25']),
  link('seg1', 'core', [`${SEG1}/30`], ['203.0.113.1/30']),
  link('seg2', 'core', [`${SEG2}/30`], [`${CORE_TO_SEG2}/30`]),
  link('ims2', 'seg2', [`${CSCF2_ZA}/25`], ['198.51.100.1/25']),
  link('ims2', 'core', [`${CSCF2}/29`, `${CSCF2_IPV6}/64`], [`${CORE_TO_IMS2}/29`, '2001:db8:2::1/64']),
  link('tls', 'core', [`${PROXY_TLS}/29`, '203.0.113.35/29'], ['203.0.113.33/29']),
  link('plain', 'core', [`${PROXY_PLAIN}/29`, '203.0.113.43/29'], ['203.0.113.41/29']),
  link('rogue', 'core', [`${ROGUE}/29`, '203.0.113.51/29'], ['203.0.113.49/29']),
];

/** The rest of each place's routing, as arguments of ip. */
const ROUTING: readonly (readonly [Place, string])[] = [
  ['ims1', 'route add default via 192.0.2.1'],
  ['seg1', 'route add default via 203.0.113.1'],
  ['seg2', `route add default via ${CORE_TO_SEG2}`],
  // To the partner by the gateway; what leaves from the address for everybody goes by the core whoever it is for.
  ['ims2', `route add ${IMS1_PREFIX} via 198.51.100.1`],
  ['ims2', `route add default via ${CORE_TO_IMS2}`],
  ['ims2', `route add default via ${CORE_TO_IMS2} table 18`],
  ['ims2', `rule add from ${CSCF2} lookup 18`],
  ['ims2', `-6 route add ${NAT64_PREFIX}/96 via 2001:db8:2::1`],
  ['tls', 'route add default via 203.0.113.33'],
  ['plain', 'route add default via 203.0.113.41'],
  ['rogue', 'route add default via 203.0.113.49'],
  // The rogue takes CSCF1's address.
  ['rogue', `address add ${CSCF1}/32 dev lo`],
  ['core', `route add ${IMS1_PREFIX} via ${SEG1}`],
  ['core', `route add ${IMS2_PREFIX} via ${SEG2}`],
];

function link(place: Place, other: Place, addresses: readonly string[], others: readonly string[]): [End, End] {
  return [
    { place, device: `to-${other}`, addresses },
    { place: other, device: `to-${place}`, addresses: others },
  ];
}

/** The command line that runs `command` there. */
export function within(place: Place, command: readonly string[]): readonly string[] {
  return place === HERE ? command : ['ip', 'netns', 'exec', place, ...command];
}

/** This Kamailio there. */
export function buildWithin(place: Place, build: Build): Build {
  return { ...build, command: (args, paths) => within(place, build.command(args, paths)) };
}

/** Runs a command there to its end. @throws with its output when it fails */
export function runWithin(place: Place, command: readonly string[], input = ''): string {
  const [file = '', ...args] = within(place, command);
  return execFileSync(file, args, { encoding: 'utf8', input, stdio: ['pipe', 'pipe', 'pipe'] });
}

/** Puts this set of nftables rules in force there, in place of the one before. */
export function filter(place: Place, rules: string): void {
  runWithin(place, ['nft', '-f', '-'], `flush ruleset\n${rules}`);
}

/** Makes all networks. They go with the namespaces that the lab runs in. */
export function buildNetworks(directory: string): void {
  const others = PLACES.filter((place) => place !== HERE);
  for (const place of others) ip(`netns add ${place}`);
  for (const [a, b] of LINKS) {
    const [first, second] = a.place === HERE ? [b, a] : [a, b];
    const peer = second.place === HERE ? 'netns 1' : `netns ${second.place}`;
    ip(`-n ${first.place} link add ${first.device} type veth peer name ${second.device} ${peer}`);
  }
  for (const place of PLACES) {
    // Routers that forward whatever comes, from any source: what keeps traffic out is for the scenes to say.
    const settings = ['ip_forward=1', 'conf.all.rp_filter=0', 'conf.default.rp_filter=0'].map(
      (each) => `net.ipv4.${each}`,
    );
    runWithin(place, ['sysctl', '-q', '-w', ...settings, 'net.ipv6.conf.all.forwarding=1']);
    ip(`-n ${place} link set lo up`, place);
  }
  for (const { place, device, addresses } of LINKS.flat()) {
    // Duplicate address detection would keep IPv6 addresses from use for a second.
    runWithin(place, [
      'sysctl',
      '-q',
      '-w',
      `net.ipv6.conf.${device}.accept_dad=0`,
      `net.ipv4.conf.${device}.rp_filter=0`,
    ]);
    for (const address of addresses) ip(`-n ${place} address add ${address} dev ${device}`, place);
    ip(`-n ${place} link set ${device} up`, place);
  }
  for (const [place, line] of ROUTING) ip(`-n ${place} ${line}`, place);
  buildNat64(directory);
}

/** tayga in the core: stateless NAT64 (RFC 7915), with an address of either family for each side. */
function buildNat64(directory: string): void {
  const file = `${directory}/tayga.conf`;
  const lines = [
    'tun-device nat64',
    `ipv4-addr ${NAT64_ROUTER}`,
    'ipv6-addr 2001:db8:64:1::1',
    `prefix ${NAT64_PREFIX}/96`,
    `map ${CSCF2_BY_NAT64} ${CSCF2_IPV6}`,
    `data-dir ${directory}`,
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
  runWithin('core', ['tayga', '--mktun', '-c', file]);
  for (const line of [
    'link set nat64 up',
    `route add ${CSCF2_BY_NAT64}/31 dev nat64`,
    `-6 route add ${NAT64_PREFIX}/96 dev nat64`,
  ])
    ip(`-n core ${line}`);
  // It goes into the background by itself, and ends with the namespaces.
  runWithin('core', ['tayga', '-c', file]);
}

function ip(line: string, place?: Place): void {
  const words = line.split(' ');
  const args = place === HERE && words[0] === '-n' ? words.slice(2) : words;
  execFileSync('ip', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}
