/**
 * The shape of the policy file: which keys there are and what type each has. What a value means (a domain, a date, a
 * certificate) is checked where it is compiled. `describe` holds the words for "expected ...".
 */

import { z } from 'zod';
import { EKU_POLICIES } from '../../x509/rules/index.js';
import { METRICS_ACCESS } from './access-settings.js';
import { ROLES } from './role.js';

const word = (expected: string) => z.string().min(1).describe(expected);
const words = (expected: string) => z.array(word(expected)).describe(`a list, each entry ${expected}`);
const someWords = (expected: string) => z.array(word(expected)).min(1).describe(`a list, each entry ${expected}`);
const seconds = (least: number, most: number) =>
  z.int().min(least).max(most).describe(`whole seconds from ${least} to ${most}`);
const octets = (least: number, most: number) =>
  z.int().min(least).max(most).describe(`whole octets from ${least} to ${most}`);
const entries = z.int().min(1).max(100_000_000).describe('a whole number of entries, at least 1');
const connections = z.int().min(8).max(60_000).describe('a whole number of connections from 8 to 60000');
const flag = z.boolean().describe('true or false');
const path = word('a path');

const PRIVACY = z.enum(['strict33203', 'rfc3325', 'ims24229']);
const REVOCATION = z.enum(['hard', 'soft', 'off']);
const EKU = z.enum(EKU_POLICIES);
const HEADER_ACTION = z.enum(['keep', 'remove', 'anonymise']);
const INSTANT = word('a date, as in 2026-01-31, or an RFC 3339 instant');

const certificates = someWords('the path of a certificate file');
const attribute = z
  .union([word('text'), someWords('text that must be there')])
  .describe('text, or a list of it')
  .optional();
const attributes = z
  .strictObject({
    commonName: attribute,
    organization: attribute,
    organizationalUnit: attribute,
    country: attribute,
    state: attribute,
    locality: attribute,
    domainComponent: attribute,
  })
  .describe('a mapping of name attributes');

const interfaceSchema = z.strictObject({
  name: word('the name of the interface'),
  listen: word('an IP address and a port, as in 10.0.0.1:5062'),
  mechanism: z.enum(['nds-ip']),
  implicit_trust: flag.optional(),
  shared: flag.optional(),
  allow_null_encryption: flag.optional(),
  source_ports: z
    .array(z.union([z.number(), word('a port range')]))
    .min(1)
    .describe('a list of ports and ranges, as in [5062, "20000-20099"]')
    .optional(),
});

const agreementSchema = z.strictObject({
  name: word('the name of the agreement'),
  domains: someWords('a domain name'),
  server_names: words('a domain name').optional(),
  wildcard_names: words('the domain name behind the wildcard label').optional(),
  mechanism: z.enum(['tls', 'nds-ip']),
  anchors: z
    .union([certificates, z.strictObject({ client: certificates.optional(), server: certificates.optional() })])
    .describe('a list of certificate files, or a mapping {client, server} of such lists')
    .optional(),
  intermediates: words('the path of a certificate file').optional(),
  subject: attributes.optional(),
  issuer: attributes.optional(),
  attributes: z
    .strictObject({ issuers: someWords('a name on one line, as in "/O=Operator B/CN=Operator B CA"') })
    .describe('a mapping {issuers}')
    .optional(),
  interconnect: z.enum(['non-roaming', 'roaming', 'loopback', 'enterprise', 'internet']).optional(),
  directions: z
    .array(z.enum(['in', 'out']))
    .min(1)
    .describe('a list of in and out')
    .optional(),
  valid: z
    .strictObject({ from: INSTANT.optional(), until: INSTANT.optional() })
    .describe('a mapping {from, until}')
    .optional(),
  asserts: z
    .strictObject({
      domains: words('a domain name').optional(),
      hosts: words('an IP address or a host name').optional(),
      numbers: z
        .union([z.literal('any'), someWords('the beginning of a global number, as in "+4930"')])
        .describe('"any", or a list of number prefixes as in "+4930"')
        .optional(),
      transit: flag.optional(),
    })
    .describe('a mapping {domains, hosts, numbers, transit}')
    .optional(),
  privacy: PRIVACY.optional(),
  revocation: REVOCATION.optional(),
  crls: words('the path of a CRL file').optional(),
  eku: EKU.optional(),
  stack_verification: z.enum(['required', 'advisory']).optional(),
  cn_fallback: flag.optional(),
  pins: words('a pin, as in sha256/BASE64').optional(),
  pinned: flag.optional(),
  pin: z.enum(['leaf']).optional(),
  headers: z
    .record(z.string(), z.strictObject({ in: HEADER_ACTION.optional(), out: HEADER_ACTION.optional() }))
    .describe('a mapping from header field to {in, out}')
    .optional(),
  enforcement: z.enum(['enforce', 'monitor']).optional(),
  enabled: flag.optional(),
  require_tls: flag.optional(),
  targets: someWords('an IP address and a port, as in 192.0.2.7:5061').optional(),
  allow_tls_fallback: flag.optional(),
  interface: word('the name of an interface').optional(),
  sources: words('an address prefix, as in 192.0.2.0/28').optional(),
  migration: z
    .strictObject({
      interface: word('the name of an interface'),
      sources: someWords('an address prefix, as in 192.0.2.0/28'),
      until: INSTANT,
    })
    .describe('a mapping {interface, sources, until}')
    .optional(),
});

const defaultsSchema = z.strictObject({
  privacy: PRIVACY.optional(),
  revocation: REVOCATION.optional(),
  eku: EKU.optional(),
  crl_grace: seconds(0, 86_400).optional(),
  ocsp_max_age: seconds(60, 2_592_000).optional(),
  ocsp_nonce: z.enum(['optional', 'required']).optional(),
  skew: seconds(0, 3600).optional(),
  ttl: seconds(1, 86_400).optional(),
});

const listener = word('an IP address and a port, as in 127.0.0.1:7060, or off');
const daemonSchema = z.strictObject({
  listen: z
    .strictObject({
      netstring: listener.optional(),
      http: listener.optional(),
      https: listener.optional(),
      unix: word('a path, or off').optional(),
      viewer: word('a path, or off').optional(),
      fifo: word('a path, or off').optional(),
      fifo_reply_dir: path.optional(),
    })
    .optional(),
  allow_remote: flag.optional(),
  tls: z.strictObject({ certificate: path, key: path }).describe('a mapping {certificate, key}').optional(),
  access: z
    .strictObject({
      hosts: words('a host name').optional(),
      certificates: z
        .array(
          z.strictObject({
            name: word('the name of a client'),
            role: z.enum(ROLES),
            files: someWords('the path of a certificate file'),
          }),
        )
        .describe('a list of clients {name, role, files}')
        .optional(),
      tokens: word('a path, or off').optional(),
      metrics: z.enum(METRICS_ACCESS).optional(),
      connections: connections.optional(),
      connections_per_source: connections.optional(),
    })
    .optional(),
  watch: z.enum(['on', 'off']).optional(),
  ui: z.enum(['on', 'off']).optional(),
  fleet: z
    .strictObject({
      name: word('the name of the fleet').optional(),
      policy: z.enum(['on', 'off']).optional(),
      directory: path.optional(),
    })
    .optional(),
  policy_keys: someWords('the path of a public key file').optional(),
  unix_mode: word('octal digits in quotes, as in "0660"').optional(),
  viewer_mode: word('octal digits in quotes, as in "0660"').optional(),
  viewer_group: word('the name of a group').optional(),
  log: z
    .strictObject({
      level: z.enum(['error', 'warn', 'info', 'debug']).optional(),
      file: word('a path, or stderr').optional(),
      decisions: word('a path, or off').optional(),
      audit: word('a path, or off').optional(),
      mask: flag.optional(),
    })
    .optional(),
  cache: z
    .strictObject({
      certificates: entries.optional(),
      verdicts: entries.optional(),
      ttl: seconds(1, 86_400).optional(),
      memory: octets(1_048_576, 1_099_511_627_776).optional(),
    })
    .optional(),
  node: word('the name of this node').optional(),
  store: word('postgres://user@host:port/database, or off').optional(),
  store_password_file: path.optional(),
  store_timeout: z.int().min(100).max(60_000).describe('whole milliseconds from 100 to 60000').optional(),
  state: z
    .strictObject({
      file: word('a path, or off').optional(),
      pins: z.int().min(1).max(100_000).describe('a whole number of pins from 1 to 100000').optional(),
      certificates: z.int().min(0).max(4_294_967_296).describe('whole octets from 0 to 4294967296').optional(),
      certificate_age: seconds(3600, 315_360_000).optional(),
    })
    .optional(),
  dns: z
    .strictObject({
      resolve: z.enum(['on', 'off']).optional(),
      servers: words('the address of a DNS server, as in 192.0.2.53').optional(),
      timeout: seconds(1, 30).optional(),
      attempts: z.int().min(1).max(5).describe('a whole number from 1 to 5').optional(),
      cache: entries.optional(),
      trust_ad: flag.optional(),
    })
    .optional(),
  revocation: z
    .strictObject({
      fetch: z.enum(['on', 'off']).optional(),
      hosts: words('a host, as in crl.operator.example or crl.operator.example:8080').optional(),
      addresses: words('an address prefix, as in 10.1.0.0/24').optional(),
      directory: word('a path, or off').optional(),
      interval: seconds(1, 604_800).optional(),
      timeout: seconds(1, 600).optional(),
      max_size: octets(1024, 67_108_864).optional(),
      warn: seconds(0, 2_592_000).optional(),
    })
    .optional(),
});

/** The sections of a policy file. Lists of interfaces and agreements are checked entry by entry. */
export const SECTIONS = {
  include: z.union([word('a path or glob'), someWords('a path or glob')]).describe('a path or glob, or a list of them'),
  own_domains: words('a domain name'),
  own_certificates: words('the path of a certificate file'),
  interfaces: interfaceSchema,
  defaults: defaultsSchema,
  agreements: agreementSchema,
  daemon: daemonSchema,
} as const;

export type SectionName = keyof typeof SECTIONS;
export type AgreementInput = z.infer<typeof agreementSchema>;
export type InterfaceInput = z.infer<typeof interfaceSchema>;
export type DaemonInput = z.infer<typeof daemonSchema>;

/** Key paths of the whole file (`agreements[].asserts.numbers`), for the test that holds docs/policy.md to them. */
export function allKeys(): readonly string[] {
  const keys: string[] = [];
  const walk = (node: unknown, prefix: string): void => {
    if (typeof node !== 'object' || node === null) return;
    const { properties, additionalProperties, items, anyOf } = node as Record<string, unknown>;
    for (const [key, inner] of Object.entries(properties ?? {})) {
      const path = prefix === '' ? key : `${prefix}.${key}`;
      keys.push(path);
      walk(inner, path);
    }
    if (typeof additionalProperties === 'object') walk(additionalProperties, `${prefix}.*`);
    walk(items, `${prefix}[]`);
    for (const branch of (anyOf ?? []) as unknown[]) walk(branch, prefix);
  };
  const { interfaces, agreements, ...plain } = SECTIONS;
  const file = z.strictObject({ ...plain, interfaces: z.array(interfaces), agreements: z.array(agreements) });
  walk(z.toJSONSchema(file), '');
  return keys;
}
