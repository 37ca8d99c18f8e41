/** The commands about DNS: `dns check` judges the records of a domain, `dns suggest` writes those of our own. */

import { connect } from 'node:tls';
import type { Command } from 'commander';
import { parseAddress } from '../../net/address/index.js';
import { answersBy, type DnsAnswer, type DnsQuery, type ResolverAddress } from '../../net/dns/index.js';
import { HOP_TRANSPORTS } from '../../net/hop/index.js';
import {
  isInside,
  reviewZone,
  type ZoneHost,
  type ZoneReview,
  type ZoneTarget,
  zoneLines,
} from '../../net/zone/index.js';
import { type DnsSettings, readResolver } from '../../policy/settings/index.js';
import { askDns, systemResolvers } from '../../state/hops/index.js';
import type { CertificateCache } from '../../state/verdicts/index.js';
import type { CertificateFacts } from '../../x509/certificate/index.js';
import { referenceDomain, sipIdentities } from '../../x509/identity/index.js';
import { certificateFile } from '../certificates/index.js';
import { collect, type Print, Refusal } from '../terminal/index.js';

export interface DnsContext {
  readonly certificates: CertificateCache;
  readonly print: Print;
  readonly write: (text: string) => void;
  /** `daemon.dns` of a policy file, or what is in force without one. */
  readonly settings: (config: string | undefined) => DnsSettings;
  readonly exit: (code: number) => void;
}

interface CheckOptions {
  readonly server?: string;
  readonly cert?: string;
  readonly config?: string;
  readonly connect: boolean;
}

interface Row {
  readonly rule: string;
  readonly severity: 'error' | 'warning' | 'info';
  readonly clause: string;
  readonly text: string;
}

const CONNECT_MS = 5000;

/** Adds the commands to the group `dns`. */
export function dnsCommands(dns: Command, context: DnsContext): void {
  const { certificates, print, write, settings, exit } = context;
  dns
    .command('check')
    .description(
      'judges the DNS records of a domain by RFC 3263, RFC 2782 and RFC 5922; exit code 1: an error is among them',
    )
    .argument('<domain>')
    .option('--server <address:port>', 'DNS server to ask (default: those of the policy, or of /etc/resolv.conf)')
    .option('--cert <file>', 'certificate that the targets will show')
    .option('--connect', 'connect to each target by TLS, and judge the certificate that it shows', false)
    .option('--config <file>', 'policy file, for daemon.dns')
    .action(async (given: string, { server, cert, config, connect: live }: CheckOptions) => {
      const domain = domainOf(given);
      const { servers, ...rest } = settings(config);
      const from = server === undefined ? listed(servers) : [serverOf(server)];
      const { findings, targets } = await review(domain, from, rest);
      const rows: Row[] = [...findings];
      if (cert !== undefined) {
        for (const facts of certificateFile(cert, certificates).slice(0, 1)) rows.push(...names(facts, domain, cert));
      }
      if (live) {
        const read = (pem: string) => certificates.read(pem);
        for (const target of targets) rows.push(...(await shown(target, domain, read)));
      }
      print(rows.map(({ rule, severity, clause, text }) => ({ rule, severity, clause, text })));
      if (rows.some(({ severity }) => severity === 'error')) exit(1);
    });

  dns
    .command('suggest')
    .description('writes the zone lines by which our domain is reached over TLS first')
    .argument('<domain>')
    .requiredOption(
      '--target <host[:port]>',
      'host that takes TLS, at port 5061 or this one; the first is preferred',
      collect,
    )
    .option('--address <[host=]ip>', 'address of the host', collect)
    .action((given: string, { target, address = [] }: { target: readonly string[]; address?: readonly string[] }) => {
      const domain = domainOf(given);
      write(zoneLines(domain, zoneHosts(domain, target, address)));
    });
}

function domainOf(text: string): string {
  const reference = referenceDomain(text);
  if (reference.kind === 'domain' && !/[:@;?/]/.test(text)) return reference.name;
  throw new Refusal(`expected a domain, as in ims.operator.example, found ${JSON.stringify(text)}`, 2);
}

function serverOf(text: string): ResolverAddress {
  const server = readResolver(text);
  if (server !== undefined) return server;
  throw new Refusal(
    `--server: expected an address, as in 192.0.2.53 or 127.0.0.1:5353, found ${JSON.stringify(text)}`,
    2,
  );
}

function listed(servers: readonly ResolverAddress[]): readonly ResolverAddress[] {
  return servers.length > 0 ? servers : systemResolvers();
}

async function review(
  domain: string,
  servers: readonly ResolverAddress[],
  { timeout, attempts }: Pick<DnsSettings, 'timeout' | 'attempts'>,
): Promise<Extract<ZoneReview, { kind: 'done' }>> {
  const known = new Map<string, DnsAnswer>();
  const keyOf = ({ type, name }: DnsQuery): string => `${type} ${name}`;
  const answers = answersBy((query) => known.get(keyOf(query)));
  const stop = new AbortController().signal;
  for (;;) {
    const step = reviewZone(domain, answers);
    if (step.kind === 'done') return step;
    await Promise.all(
      step.queries.map(async (query) => {
        const answer = await askDns(query, { servers, timeoutMs: timeout * 1000, attempts }, stop);
        known.set(keyOf(query), 'silent' in answer ? { kind: 'failed', ttl: 0 } : answer);
      }),
    );
  }
}

/** Whether a certificate names the domain, and now (RFC 5922 §7.1, §7.3). */
function names(facts: CertificateFacts, domain: string, where: string): readonly Row[] {
  const { names: found, findings } = sipIdentities(facts, { cnFallback: false });
  const rows: Row[] = [];
  const row = (rule: string, severity: Row['severity'], clause: string, text: string): void => {
    rows.push({ rule, severity, clause, text: `${where}: ${text}` });
  };
  if (!found.includes(domain)) {
    const text = `expected a certificate that names ${domain}, found ${found.join(', ') || 'no SIP domain identity'}`;
    row('certificate-name', 'error', 'RFC 5922 §7.3', text);
    for (const { code, detail } of findings) row(code, 'info', 'RFC 5922 §7.1', detail);
  }
  const now = Date.now();
  if (now < facts.notBefore || now > facts.notAfter) {
    const times = `${new Date(facts.notBefore).toISOString()} to ${new Date(facts.notAfter).toISOString()}`;
    row('certificate-time', 'error', 'RFC 5280 §4.1.2.5', `expected a certificate that is valid now, found ${times}`);
  }
  return rows;
}

/** The certificate that a target shows to who asks for the domain. */
async function shown(
  { host, address, port }: ZoneTarget,
  domain: string,
  read: (pem: string) => CertificateFacts | { readonly malformed: string },
): Promise<readonly Row[]> {
  const where = `${host} (${address} port ${port})`;
  const der = await peerCertificate(address, port, domain);
  if ('failed' in der) {
    const text = `${where}: expected a TLS connection, found ${der.failed}`;
    return [{ rule: 'no-tls', severity: 'error', clause: 'RFC 3263 §4.2', text }];
  }
  const facts = read(der.certificate);
  if (!('malformed' in facts)) return names(facts, domain, where);
  const text = `${where}: expected a certificate, found ${facts.malformed}`;
  return [{ rule: 'malformed-cert', severity: 'error', clause: 'RFC 5280 §4.1', text }];
}

/** Base64 DER of the certificate; SNI is the domain that was asked for (RFC 5922 §4, rulebook O-4). */
function peerCertificate(
  address: string,
  port: number,
  domain: string,
): Promise<{ readonly certificate: string } | { readonly failed: string }> {
  return new Promise((resolve) => {
    // Whether a CA vouches for it is a question for agreements; here only its names are looked at.
    const socket = connect({ host: address, port, servername: domain, rejectUnauthorized: false });
    const end = (outcome: { readonly certificate: string } | { readonly failed: string }): void => {
      socket.removeAllListeners();
      socket.on('error', () => {});
      socket.destroy();
      resolve(outcome);
    };
    socket.setTimeout(CONNECT_MS, () => end({ failed: 'no answer in time' }));
    socket.on('error', (error) => end({ failed: error.message }));
    socket.on('close', () => end({ failed: 'a closed connection' }));
    socket.on('secureConnect', () => {
      const { raw } = socket.getPeerCertificate();
      // A server may want a certificate of ours and end the connection; by then it has shown its own.
      end(raw === undefined ? { failed: 'no certificate' } : { certificate: raw.toString('base64') });
    });
  });
}

function zoneHosts(domain: string, targets: readonly string[], addresses: readonly string[]): readonly ZoneHost[] {
  const hosts = targets.map((text) => {
    const [, name = '', digits] = /^([^:]*)(?::([0-9]{1,5}))?$/.exec(text) ?? [];
    const port = digits === undefined ? HOP_TRANSPORTS.tls.port : Number(digits);
    const reference = referenceDomain(name);
    if (reference.kind !== 'domain' || port < 1 || port > 65535) {
      throw new Refusal(
        `--target: expected a host name, as in sbc1.${domain} or sbc1.${domain}:5061, found ${JSON.stringify(text)}`,
        2,
      );
    }
    if (port === HOP_TRANSPORTS.tcp.port) {
      throw new Refusal(`--target: expected a port of its own for TLS, found ${port}, which is that of TCP`, 2);
    }
    const addressesOf: string[] = [];
    return { host: reference.name, port, addresses: addressesOf };
  });
  for (const text of addresses) {
    const [, name, rest = ''] = /^(?:([^=]*)=)?(.*)$/.exec(text) ?? [];
    const address = parseAddress(rest);
    const owner = name === undefined && hosts.length === 1 ? hosts[0] : hosts.find(({ host }) => host === name);
    if (address === undefined || owner === undefined) {
      const expected = hosts.length === 1 ? 'an IP address' : 'HOST=IP with one of the targets';
      throw new Refusal(`--address: expected ${expected}, found ${JSON.stringify(text)}`, 2);
    }
    owner.addresses.push(address.text);
  }
  const bare = hosts.find(({ host, addresses: own }) => isInside(host, domain) && own.length === 0);
  if (bare !== undefined) {
    throw new Refusal(`--address: expected an address of ${bare.host}, which lies in ${domain}, found none`, 2);
  }
  return hosts;
}
