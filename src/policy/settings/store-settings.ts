/** The database of a fleet (`daemon.store`): a URL as libpq has it, without the secret. */

import type { z } from 'zod';
import { kind } from '../kinds/index.js';
import { resolvePath, type Site, word } from '../reading/index.js';

export interface StoreHost {
  /** A name, an address, or the directory of a unix socket. */
  readonly host: string;
  readonly port: number;
}

export interface StoreSettings {
  /** More than one: whichever of them takes writes is the database. */
  readonly hosts: readonly StoreHost[];
  readonly database: string;
  readonly user: string;
  /** Paths; undefined: no TLS, which only this machine may do. */
  readonly tls:
    | { readonly ca: string | undefined; readonly certificate: string | undefined; readonly key: string | undefined }
    | undefined;
  /** Path of a file whose first line is the password; undefined: none is shown. */
  readonly passwordFile: string | undefined;
  /** Milliseconds until a host that says nothing counts as away. */
  readonly connectTimeout: number;
  readonly queryTimeout: number;
}

const DEFAULT_PORT = 5432;
const MOST_HOSTS = 8;
const PARAMS = [
  'sslmode',
  'sslrootcert',
  'sslcert',
  'sslkey',
  'target_session_attrs',
  'connect_timeout',
  'host',
  'port',
] as const;
type Param = (typeof PARAMS)[number];

const URL_SHAPE = /^postgres(?:ql)?:\/\/(?:([^@/?#]*)@)?([^/?#]*)\/([^/?#]+)(?:\?([^#]*))?$/;
const EXPECTED =
  'expected postgres://user@host:port/database?sslmode=verify-full&sslrootcert=FILE (hosts may be several, by commas)';

/** The URL as it stands there: what it says is read with its neighbours. */
export const storeUrl = kind<string | undefined, z.ZodString>({
  shape: word('postgres://user@host:port/database, or off'),
  values: 'URL or `off`',
  read: (given) => (given === 'off' ? undefined : given),
  said: () => '`off`',
});

export interface StoreInput {
  readonly store: string | undefined;
  readonly storePasswordFile: string | undefined;
  readonly storeTimeout: number;
}

/** What `daemon.store` and its neighbours say; undefined: off, or no good, which is reported. */
export function compileStore(input: StoreInput, site: Site): StoreSettings | undefined {
  const { store, storePasswordFile: passwordFile, storeTimeout: timeout } = input;
  if (store === undefined) {
    if (passwordFile === undefined) return undefined;
    site.at('store_password_file').report('no-effect', 'store_password_file has no effect without store', 'key');
    return undefined;
  }
  const at = site.at('store');
  const { file } = site;
  const read = readStoreUrl(store);
  if ('fault' in read) {
    at.report('bad-value', `${EXPECTED}: ${read.fault}`);
    return undefined;
  }
  const { params, ...target } = read;
  const path = (param: Param): string | undefined => {
    const name = params.get(param);
    return name === undefined ? undefined : resolvePath(file, name);
  };
  const mode = params.get('sslmode') ?? (target.hosts.every(isLocal) ? 'disable' : 'verify-full');
  return {
    ...target,
    tls:
      mode === 'disable' ? undefined : { ca: path('sslrootcert'), certificate: path('sslcert'), key: path('sslkey') },
    passwordFile,
    connectTimeout: Number(params.get('connect_timeout') ?? timeout / 1000) * 1000,
    queryTimeout: timeout,
  };
}

type Read = Pick<StoreSettings, 'hosts' | 'database' | 'user'> & { readonly params: ReadonlyMap<Param, string> };

function readStoreUrl(text: string): Read | { readonly fault: string } {
  const match = URL_SHAPE.exec(text);
  // The text may hold a secret: it is not quoted.
  if (match === null) return { fault: 'found another form (not shown: it may hold a password)' };
  const [, userText = '', hostText = '', databaseText = '', query = ''] = match;
  if (userText.includes(':')) return { fault: 'found a password in it, which belongs in store_password_file' };
  const user = decoded(userText);
  const database = decoded(databaseText);
  if (user === undefined || user === '') return { fault: 'found no user' };
  if (database === undefined) return { fault: 'found a database name that is not percent-encoded' };
  const params = readParams(query);
  if ('fault' in params) return params;
  const directory = params.get('host');
  if (hostText !== '' && directory !== undefined)
    return { fault: 'found a host before the database and another in host' };
  const hosts = readHosts(directory ?? hostText, params.get('port'));
  if ('fault' in hosts) return hosts;
  const fault = tlsFault(params, hosts) ?? otherFault(params);
  return fault === undefined ? { hosts, database, user, params } : { fault };
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function readParams(query: string): ReadonlyMap<Param, string> | { readonly fault: string } {
  const params = new Map<Param, string>();
  for (const [name, value] of new URLSearchParams(query)) {
    const known = PARAMS.find((param) => param === name);
    if (known === undefined) return { fault: `found ${JSON.stringify(name)}, expected ${PARAMS.join(', ')}` };
    if (params.has(known)) return { fault: `found ${name} twice` };
    params.set(known, value);
  }
  return params;
}

/** @param port of a unix socket, which has no other place for it */
function readHosts(text: string, port?: string): readonly StoreHost[] | { readonly fault: string } {
  const isSocket = text.startsWith('/');
  if (port !== undefined && !(isSocket && isPort(port))) {
    return { fault: `found port=${port}, expected host:port, or the port of a unix socket (host=/DIRECTORY)` };
  }
  if (isSocket) return [{ host: text, port: Number(port ?? DEFAULT_PORT) }];
  const hosts: StoreHost[] = [];
  for (const each of text.split(',')) {
    const [, bracketed, plain, digits = String(DEFAULT_PORT)] =
      /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]+))(?::([0-9]+))?$/.exec(each) ?? [];
    const host = bracketed ?? plain;
    if (host === undefined || !isPort(digits)) return { fault: `found the host ${JSON.stringify(each)}` };
    hosts.push({ host, port: Number(digits) });
  }
  return hosts.length <= MOST_HOSTS ? hosts : { fault: `found ${hosts.length} hosts, expected at most ${MOST_HOSTS}` };
}

function isPort(digits: string): boolean {
  return /^[1-9][0-9]{0,4}$/.test(digits) && Number(digits) <= 65_535;
}

/** Who can change what the database says can make anybody trusted: other hosts are proved, or not asked. */
function tlsFault(params: ReadonlyMap<Param, string>, hosts: readonly StoreHost[]): string | undefined {
  const mode = params.get('sslmode');
  if (mode !== undefined && mode !== 'verify-full' && mode !== 'disable') {
    return `found sslmode=${mode}, expected verify-full (or disable, for a database on this machine)`;
  }
  if (mode === 'disable' && !hosts.every(isLocal)) {
    return 'found sslmode=disable, which only a database on this machine may have';
  }
  if (params.has('sslcert') !== params.has('sslkey')) return 'expected sslcert and sslkey together, found one of them';
  return undefined;
}

function otherFault(params: ReadonlyMap<Param, string>): string | undefined {
  const target = params.get('target_session_attrs') ?? 'read-write';
  if (target !== 'read-write') return `found target_session_attrs=${target}, expected read-write`;
  const timeout = params.get('connect_timeout');
  if (timeout === undefined || /^(?:[1-9]|[1-5][0-9]|60)$/.test(timeout)) return undefined;
  return `found connect_timeout=${timeout}, expected 1 to 60 (seconds)`;
}

function isLocal({ host }: StoreHost): boolean {
  return host.startsWith('/') || host === 'localhost' || host === '::1' || /^127(?:\.[0-9]{1,3}){3}$/.test(host);
}
