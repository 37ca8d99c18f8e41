/** Where revocation lists and statuses may be fetched, and how (`daemon.revocation:`). */

import {
  type AddressPrefix,
  type FetchHost,
  type FetchRules,
  parseAddress,
  parsePrefix,
} from '../../net/address/index.js';
import { resolvePath, type Site } from '../reading/index.js';
import { policyDomain } from '../values/index.js';
import type { DaemonInput } from './schema.js';

export interface RevocationSettings extends FetchRules {
  /** Whether anything is fetched at all. */
  readonly fetch: boolean;
  /** Where fetched lists are kept over restarts; undefined: nowhere. */
  readonly directory: string | undefined;
  /** Seconds after which a list or a status is asked for again. */
  readonly interval: number;
  /** Seconds that one fetch may take. */
  readonly timeout: number;
  /** Octets of the largest list. */
  readonly maxSize: number;
  /** Seconds before nextUpdate at which an old list is an alarm. */
  readonly warn: number;
}

/** In force where the policy file says nothing else: nothing is fetched. */
export const DEFAULT_REVOCATION: RevocationSettings = {
  fetch: false,
  hosts: [],
  addresses: [],
  directory: '/var/lib/siptrust/revocation',
  interval: 3600,
  timeout: 30,
  maxSize: 32 * 1024 * 1024,
  warn: 86_400,
};

/** Settings of a `daemon.revocation:` section. */
export function compileRevocation(
  input: NonNullable<DaemonInput['revocation']> | undefined,
  site: Site,
): RevocationSettings {
  const defaults = DEFAULT_REVOCATION;
  const { directory } = input ?? {};
  const settings: RevocationSettings = {
    fetch: (input?.fetch ?? 'off') === 'on',
    hosts: fetchHosts(input?.hosts ?? [], site.at('hosts')),
    addresses: prefixes(input?.addresses ?? [], site.at('addresses')),
    directory:
      directory === undefined
        ? defaults.directory
        : directory === 'off'
          ? undefined
          : resolvePath(site.file, directory),
    interval: input?.interval ?? defaults.interval,
    timeout: input?.timeout ?? defaults.timeout,
    maxSize: input?.max_size ?? defaults.maxSize,
    warn: input?.warn ?? defaults.warn,
  };
  if (settings.fetch && (input?.hosts ?? []).length === 0) {
    site
      .at('fetch')
      .report('no-effect', 'fetch has no effect without hosts: nothing may be fetched from anywhere', 'key');
  } else if (!settings.fetch && settings.hosts.length > 0) {
    site.at('hosts').report('no-effect', 'hosts has no effect without fetch: on', 'key');
  }
  return settings;
}

/** `name`, `name:port`, `address:port` or `"[IPv6]:port"`; without a port it is that of http. */
function fetchHosts(texts: readonly string[], site: Site): readonly FetchHost[] {
  const hosts = new Map<string, FetchHost>();
  for (const [index, text] of texts.entries()) {
    const read = fetchHost(text);
    const here = site.at(index);
    if ('fault' in read) {
      const expected = 'expected a host, as in crl.operator.example or crl.operator.example:8080';
      here.report('bad-value', `${expected}, found ${JSON.stringify(text)}: ${read.fault}`);
      continue;
    }
    const key = `${read.host} ${read.port}`;
    if (hosts.has(key)) here.report('repeated-value', `${text} stands in this list already`);
    hosts.set(key, read);
  }
  return [...hosts.values()];
}

function fetchHost(text: string): FetchHost | { readonly fault: string } {
  const match = /^(\[[^\]]*\]|[^:[\]]*)(?::([0-9]{1,5}))?$/.exec(text);
  const bare = parseAddress(text);
  if (bare !== undefined) return { host: bare.text, port: 80 };
  if (match === null) return { fault: 'it is no host with a port' };
  const [, host = '', digits = '80'] = match;
  const port = Number(digits);
  if (port < 1 || port > 65535) return { fault: `port ${digits} is none` };
  const address = parseAddress(host);
  if (address !== undefined) return { host: address.text, port };
  const name = policyDomain(host);
  return 'domain' in name ? { host: name.domain, port } : name;
}

function prefixes(texts: readonly string[], site: Site): readonly AddressPrefix[] {
  return texts.flatMap((text, index) => {
    const prefix = parsePrefix(text);
    if (!('invalid' in prefix)) return [prefix];
    site.at(index).report('bad-prefix', prefix.invalid);
    return [];
  });
}
