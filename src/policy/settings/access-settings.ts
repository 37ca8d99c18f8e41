/** Who may reach siptrustd over HTTP, and how (`daemon.access`, `daemon.tls`). */

import { parseAddress } from '../../net/address/index.js';
import type { Material } from '../material/index.js';
import { resolvePath, type Site } from '../reading/index.js';
import type { METRICS_ACCESS, Role } from './role.js';
import type { DaemonInput } from './schema.js';

/** A client whose certificate is its credential. */
export interface ClientCertificate {
  readonly name: string;
  readonly role: Role;
  /** Lower-case hexadecimal, of the DER. */
  readonly sha256: string;
  readonly notBefore: number;
  readonly notAfter: number;
}

export interface AccessSettings {
  /** Names besides addresses and `localhost` by which HTTP clients may call this host. */
  readonly hosts: readonly string[];
  readonly certificates: readonly ClientCertificate[];
  /** Path of the file of tokens; undefined: there are none. */
  readonly tokens: string | undefined;
  readonly metrics: (typeof METRICS_ACCESS)[number];
  /** Most connections of one listener, and of one source to it. */
  readonly connections: number;
  readonly connectionsPerSource: number;
}

/** Files of the HTTPS listener. */
export interface TlsSettings {
  readonly certificate: string;
  readonly key: string;
}

export const DEFAULT_ACCESS: AccessSettings = {
  hosts: [],
  certificates: [],
  tokens: undefined,
  metrics: 'open',
  connections: 1024,
  connectionsPerSource: 512,
};

/** Names of clients and tokens stand in logs. */
export const CREDENTIAL_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

const HOST = /^(?!-)[A-Za-z0-9-]{1,63}(?<!-)(?:\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))*$/;

/** `daemon.access`: who may ask what, by which credential, and over how many connections. */
export function compileAccess(input: DaemonInput['access'], site: Site, material: Material): AccessSettings {
  const defaults = DEFAULT_ACCESS;
  const { hosts = [], certificates = [], tokens } = input ?? {};
  for (const [at, host] of hosts.entries()) {
    if (HOST.test(host) && parseAddress(host) === undefined) continue;
    const expected = 'expected a host name without a port (addresses and localhost are taken anyway)';
    site.at('hosts', at).report('bad-value', `${expected}, found ${JSON.stringify(host)}`);
  }
  const clients = certificates.flatMap((client, at) =>
    clientCertificates(client, site.at('certificates', at), material),
  );
  const seen = new Set<string>();
  for (const { name, sha256 } of clients) {
    if (seen.has(sha256)) site.at('certificates').report('bad-value', `the certificate of ${name} stands there twice`);
    seen.add(sha256);
  }
  const off = tokens === undefined || tokens === 'off';
  const connections = input?.connections ?? defaults.connections;
  return {
    hosts: hosts.map((host) => host.toLowerCase()),
    certificates: clients,
    tokens: off ? undefined : resolvePath(site.file, tokens),
    metrics: input?.metrics ?? defaults.metrics,
    connections,
    connectionsPerSource: input?.connections_per_source ?? Math.min(connections, defaults.connectionsPerSource),
  };
}

function clientCertificates(
  { name, role, files }: { readonly name: string; readonly role: Role; readonly files: readonly string[] },
  site: Site,
  material: Material,
): readonly ClientCertificate[] {
  if (!CREDENTIAL_NAME.test(name)) {
    const expected = 'expected at most 64 letters, digits, ".", "_" and "-"';
    site.at('name').report('bad-value', `${expected}, found ${JSON.stringify(name)}`);
  }
  return material
    .certificates(files, site.at('files'), 'client certificate')
    .map(({ sha256, notBefore, notAfter }) => ({ name, role, sha256, notBefore, notAfter }));
}

/** `daemon.tls`: the certificate and the key of the HTTPS listener; undefined: there is none. */
export function compileTls(input: DaemonInput['tls'], site: Site): TlsSettings | undefined {
  if (input === undefined) return undefined;
  const { file } = site;
  return { certificate: resolvePath(file, input.certificate), key: resolvePath(file, input.key) };
}
