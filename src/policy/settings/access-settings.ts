/** Who may reach siptrustd over HTTP, and how: the lists of `daemon.access`, and `daemon.tls`. */

import { z } from 'zod';
import { parseAddress } from '../../net/address/index.js';
import { type Kind, kind, name } from '../kinds/index.js';
import type { Material } from '../material/index.js';
import { resolvePath, type Site, someWords, word, words } from '../reading/index.js';
import { ROLES, type Role } from './role.js';

/** A client whose certificate is its credential. */
export interface ClientCertificate {
  readonly name: string;
  readonly role: Role;
  /** Lower-case hexadecimal, of the DER. */
  readonly sha256: string;
  readonly notBefore: number;
  readonly notAfter: number;
}

/** Files of the HTTPS listener. */
export interface TlsSettings {
  readonly certificate: string;
  readonly key: string;
}

const HOST = /^(?!-)[A-Za-z0-9-]{1,63}(?<!-)(?:\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))*$/;

/** Names besides addresses and `localhost` by which HTTP clients may call this host. */
export const hostNames = kind({
  shape: words('a host name'),
  values: 'list of names',
  read: (hosts, site): readonly string[] => {
    for (const [at, host] of hosts.entries()) {
      if (HOST.test(host) && parseAddress(host) === undefined) continue;
      const expected = 'expected a host name without a port (addresses and localhost are taken anyway)';
      site.at(at).report('bad-value', `${expected}, found ${JSON.stringify(host)}`);
    }
    return hosts.map((host) => host.toLowerCase());
  },
  said: () => 'none',
});

const clientName = name('a client');
const client = z.strictObject({
  name: clientName.shape,
  role: z.enum(ROLES),
  files: someWords('the path of a certificate file'),
});

export const clients = kind({
  shape: z.array(client).describe('a list of clients {name, role, files}'),
  values: 'list of clients',
  read: (given, site, material): readonly ClientCertificate[] => {
    const certificates = given.flatMap((each, at) => clientCertificates(each, site.at(at), material));
    const seen = new Set<string>();
    for (const { name, sha256 } of certificates) {
      if (seen.has(sha256)) site.report('bad-value', `the certificate of ${name} stands there twice`);
      seen.add(sha256);
    }
    return certificates;
  },
  said: () => 'none',
});

function clientCertificates(
  { name, role, files }: z.infer<typeof client>,
  site: Site,
  material: Material,
): readonly ClientCertificate[] {
  clientName.read(name, site.at('name'), material);
  return material
    .certificates(files, site.at('files'), 'client certificate')
    .map(({ sha256, notBefore, notAfter }) => ({ name, role, sha256, notBefore, notAfter }));
}

const files = z.strictObject({ certificate: word('a path'), key: word('a path') });

/** Certificate and key of the HTTPS listener; undefined: there is none. */
export const tlsFiles: Kind<TlsSettings | undefined, typeof files> = {
  shape: files.describe('a mapping {certificate, key}'),
  values: 'mapping',
  read: ({ certificate, key }, { file }) => ({
    certificate: resolvePath(file, certificate),
    key: resolvePath(file, key),
  }),
  said: () => 'none',
};
