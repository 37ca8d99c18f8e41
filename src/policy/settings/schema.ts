/**
 * The shape of the policy file: which keys there are and what type each has. What a value means (a domain, a date, a
 * certificate) is checked where it is compiled. `describe` holds the words for "expected ...".
 */

import { z } from 'zod';
import { AGREEMENT, AGREEMENT_KEYS, INTERFACE } from '../agreement/index.js';
import { flag, someWords, word, words } from '../reading/index.js';
import { METRICS_ACCESS, ROLES } from './role.js';

const seconds = (least: number, most: number) =>
  z.int().min(least).max(most).describe(`whole seconds from ${least} to ${most}`);
const octets = (least: number, most: number) =>
  z.int().min(least).max(most).describe(`whole octets from ${least} to ${most}`);
const entries = z.int().min(1).max(100_000_000).describe('a whole number of entries, at least 1');
const connections = z.int().min(8).max(60_000).describe('a whole number of connections from 8 to 60000');
const path = word('a path');

const defaultsSchema = z.strictObject({
  privacy: AGREEMENT_KEYS.privacy.shape,
  revocation: AGREEMENT_KEYS.revocation.shape,
  eku: AGREEMENT_KEYS.eku.shape,
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
  interfaces: INTERFACE,
  defaults: defaultsSchema,
  agreements: AGREEMENT,
  daemon: daemonSchema,
} as const;

export type SectionName = keyof typeof SECTIONS;
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
