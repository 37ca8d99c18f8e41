/** What siptrustd itself needs from the policy file (`daemon:`): listeners, logs, caches. */

import { isLoopback } from '../../net/address/index.js';
import type { Material } from '../material/index.js';
import { deepFreeze, resolvePath, type Site } from '../reading/index.js';
import type { PolicyKey } from '../revision/index.js';
import { type ListenAddress, parseListen } from '../values/index.js';
import {
  type AccessSettings,
  CREDENTIAL_NAME,
  compileAccess,
  compileTls,
  DEFAULT_ACCESS,
  type TlsSettings,
} from './access-settings.js';
import { compileDns, DEFAULT_DNS, type DnsSettings } from './dns-settings.js';
import { compileFleet, DEFAULT_FLEET, type FleetSettings } from './fleet-settings.js';
import { compileRevocation, DEFAULT_REVOCATION, type RevocationSettings } from './revocation-settings.js';
import type { DaemonInput } from './schema.js';
import { compileStore, type StoreSettings } from './store-settings.js';

export interface DaemonSettings {
  /** undefined: this listener is off. */
  readonly listen: {
    readonly netstring: ListenAddress | undefined;
    readonly http: ListenAddress | undefined;
    /** The one listener that other hosts may reach. */
    readonly https: ListenAddress | undefined;
    /** Path of the unix socket, which serves operators. */
    readonly unix: string | undefined;
    /** Path of the unix socket for those who may look and change nothing. */
    readonly viewer: string | undefined;
    /** Path of the FIFO that kamctl writes to. */
    readonly fifo: string | undefined;
    /** Directory in which kamctl makes its reply FIFOs. */
    readonly fifoReplyDir: string;
  };
  /** Whether `listen.https` may be another address than loopback. */
  readonly allowRemote: boolean;
  /** undefined where there is no HTTPS listener. */
  readonly tls: TlsSettings | undefined;
  readonly access: AccessSettings;
  /** Whether the policy is read again when its files change. */
  readonly watch: boolean;
  /** Whether the HTTP and HTTPS listeners serve the operators' page. */
  readonly ui: boolean;
  readonly fleet: FleetSettings;
  /** Revisions of the fleet have to be signed by one of them; none: by nobody. */
  readonly policyKeys: readonly PolicyKey[];
  /** Permission bits of the unix socket and the FIFO. */
  readonly unixMode: number;
  readonly viewerMode: number;
  /** Group of the viewers' socket; undefined: that of the daemon. */
  readonly viewerGroup: string | undefined;
  readonly log: {
    readonly level: 'error' | 'warn' | 'info' | 'debug';
    /** Path of the operator log; undefined: standard error. */
    readonly file: string | undefined;
    /** Path of the decision log; undefined: none is written. */
    readonly decisions: string | undefined;
    /** Path of the log of what operators change; undefined: the operator log alone tells of it. */
    readonly audit: string | undefined;
    /** Whether user parts of identities are hidden in logs. */
    readonly mask: boolean;
  };
  readonly cache: {
    /** Most entries. */
    readonly certificates: number;
    readonly verdicts: number;
    /** Seconds that a verdict is kept. */
    readonly ttl: number;
    /** Octets of memory for what is known of certificates, connections and verdicts, together. */
    readonly memory: number;
  };
  readonly revocation: RevocationSettings;
  readonly dns: DnsSettings;
  /** Name of this node among those of the fleet; undefined: that of the host. */
  readonly node: string | undefined;
  /** The database of the fleet; undefined: this daemon is alone. */
  readonly store: StoreSettings | undefined;
  readonly state: {
    /** Path of the database that keeps pins over restarts; undefined: none are kept. */
    readonly file: string | undefined;
    /** Most pins that are kept. */
    readonly pins: number;
    /** Octets of certificates that answers were about; 0: none are kept. */
    readonly certificates: number;
    /** Certificates that were not seen for so long are forgotten, in seconds. */
    readonly certificateAge: number;
  };
}

/** In force where the policy file says nothing else. */
export const DEFAULT_SETTINGS: DaemonSettings = deepFreeze({
  listen: {
    netstring: { address: '127.0.0.1', port: 7060 },
    http: { address: '127.0.0.1', port: 7061 },
    https: undefined,
    unix: '/run/siptrust/siptrust.sock',
    viewer: undefined,
    fifo: undefined,
    fifoReplyDir: '/tmp',
  },
  allowRemote: false,
  tls: undefined,
  access: DEFAULT_ACCESS,
  watch: false,
  ui: false,
  fleet: DEFAULT_FLEET,
  policyKeys: [],
  unixMode: 0o660,
  viewerMode: 0o660,
  viewerGroup: undefined,
  log: { level: 'info', file: undefined, decisions: undefined, audit: undefined, mask: true },
  cache: { certificates: 10_000, verdicts: 100_000, ttl: 300, memory: 134_217_728 },
  revocation: DEFAULT_REVOCATION,
  dns: DEFAULT_DNS,
  node: undefined,
  store: undefined,
  state: { file: undefined, pins: 10_000, certificates: 67_108_864, certificateAge: 7_776_000 },
});

/** Longest path that a unix socket address holds on Linux, without its final NUL (unix(7)). */
const MOST_SOCKET_PATH = 107;

/** Settings of a `daemon:` section; what it leaves out is as in DEFAULT_SETTINGS. */
export function compileSettings(input: DaemonInput | undefined, site: Site, material: Material): DaemonSettings {
  const defaults = DEFAULT_SETTINGS;
  const { listen = {}, log = {}, cache = {}, state = {} } = input ?? {};
  const file = site.file;
  const path = (value: string | undefined, off: string, fallback: string | undefined): string | undefined => {
    if (value === undefined) return fallback;
    return value === off ? undefined : resolvePath(file, value);
  };
  const access = compileAccess(input?.access, site.at('access'), material);
  const settings: DaemonSettings = {
    listen: {
      netstring: listenAddress(listen.netstring, site.at('listen', 'netstring'), defaults.listen.netstring),
      http: listenAddress(listen.http, site.at('listen', 'http'), defaults.listen.http),
      https: listenAddress(listen.https, site.at('listen', 'https'), defaults.listen.https),
      unix: path(listen.unix, 'off', defaults.listen.unix),
      viewer: path(listen.viewer, 'off', defaults.listen.viewer),
      fifo: path(listen.fifo, 'off', defaults.listen.fifo),
      fifoReplyDir: path(listen.fifo_reply_dir, '', defaults.listen.fifoReplyDir) ?? defaults.listen.fifoReplyDir,
    },
    allowRemote: input?.allow_remote ?? defaults.allowRemote,
    tls: compileTls(input?.tls, site.at('tls')),
    watch: input?.watch === undefined ? defaults.watch : input.watch === 'on',
    access,
    // Without a credential there is nothing that the page could show.
    ui: input?.ui === undefined ? hasCredentials(access) : input.ui === 'on',
    fleet: compileFleet(input?.fleet, site.at('fleet')),
    policyKeys: material.policyKeys(input?.policy_keys ?? [], site.at('policy_keys')),
    unixMode: unixMode(input?.unix_mode, site.at('unix_mode')),
    viewerMode: unixMode(input?.viewer_mode, site.at('viewer_mode')),
    viewerGroup: input?.viewer_group,
    log: {
      level: log.level ?? defaults.log.level,
      file: path(log.file, 'stderr', defaults.log.file),
      decisions: path(log.decisions, 'off', defaults.log.decisions),
      audit: path(log.audit, 'off', defaults.log.audit),
      mask: log.mask ?? defaults.log.mask,
    },
    cache: {
      certificates: cache.certificates ?? defaults.cache.certificates,
      verdicts: cache.verdicts ?? defaults.cache.verdicts,
      ttl: cache.ttl ?? defaults.cache.ttl,
      memory: cache.memory ?? defaults.cache.memory,
    },
    revocation: compileRevocation(input?.revocation, site.at('revocation')),
    dns: compileDns(input?.dns, site.at('dns')),
    node: input?.node,
    store: compileStore(input ?? {}, site),
    state: {
      file: path(state.file, 'off', defaults.state.file),
      pins: state.pins ?? defaults.state.pins,
      certificates: state.certificates ?? defaults.state.certificates,
      certificateAge: state.certificate_age ?? defaults.state.certificateAge,
    },
  };
  checkListeners(settings, site.at('listen'));
  checkHttps(settings, site);
  checkPage(settings, site.at('ui'));
  checkStore(settings, site);
  checkFleet(settings, site);
  return deepFreeze(settings);
}

function checkListeners({ listen }: DaemonSettings, site: Site): void {
  const { netstring, http, https, unix, viewer, fifo } = listen;
  if (!netstring && !http && !https && !unix && !viewer && !fifo) {
    site.report('no-listener', 'expected at least one listener, found all of them off: nobody could ask');
  }
  for (const [key, socket] of Object.entries({ netstring, http })) {
    if (!socket || isLoopback(socket.address)) continue;
    // Answers that somebody on the way can change make anybody trusted.
    const text = `expected a loopback address (other hosts are served by listen.https), found ${socket.address}`;
    site.at(key).report('remote-listener', text);
  }
  const sockets = new Map<string, string>();
  for (const [key, socket] of Object.entries({ netstring, http, https })) {
    if (!socket || socket.port === 0) continue;
    const name = `${socket.address} ${socket.port}`;
    const other = sockets.get(name);
    if (other === undefined) sockets.set(name, key);
    else site.at(key).report('duplicate-listen', `expected an address of its own, found that of listen.${other}`);
  }
  for (const [key, path] of Object.entries({ unix, viewer })) {
    const bytes = Buffer.byteLength(path ?? '');
    if (bytes <= MOST_SOCKET_PATH) continue;
    site.at(key).report('bad-value', `expected a path of at most ${MOST_SOCKET_PATH} bytes (unix(7)), found ${bytes}`);
  }
  const taken = new Map<string, string>();
  for (const [key, path] of Object.entries({ unix, viewer, fifo })) {
    if (path === undefined) continue;
    const other = taken.get(path);
    if (other === undefined) taken.set(path, key);
    else site.at(key).report('duplicate-listen', `expected a path of its own, found that of listen.${other}`);
  }
}

/** Who comes from another host has to be known, and to know us. */
function checkHttps({ listen: { https }, allowRemote, tls, access }: DaemonSettings, site: Site): void {
  const at = site.at('listen', 'https');
  if (https !== undefined && tls === undefined) {
    at.report('no-tls', 'expected daemon.tls with certificate and key beside it, found none');
  }
  if (https !== undefined && !isLoopback(https.address) && !allowRemote) {
    at.report('remote-listener', `expected a loopback address (or allow_remote: true), found ${https.address}`);
  }
  if (!allowRemote) return;
  const remote = site.at('allow_remote');
  if (https === undefined) remote.report('no-tls', 'other hosts are served by listen.https alone, which is off');
  if (!hasCredentials(access)) {
    const expected = 'expected credentials for other hosts (daemon.access.tokens or daemon.access.certificates)';
    remote.report('no-credentials', `${expected}, found none`);
  }
}

function hasCredentials({ tokens, certificates }: AccessSettings): boolean {
  return tokens !== undefined || certificates.length > 0;
}

/** Everything on the page is a viewer's. */
function checkPage({ ui, access }: DaemonSettings, at: Site): void {
  if (!ui || hasCredentials(access)) return;
  const expected = 'expected credentials of viewers (daemon.access.tokens or daemon.access.certificates)';
  at.report('no-credentials', `${expected}, found none`);
}

function checkStore({ node, store, state }: DaemonSettings, site: Site): void {
  if (node !== undefined && !CREDENTIAL_NAME.test(node)) {
    const expected = 'expected at most 64 letters, digits, ".", "_" and "-"';
    site.at('node').report('bad-value', `${expected}, found ${JSON.stringify(node)}`);
  }
  if (store === undefined || state.file !== undefined) return;
  const expected = 'expected daemon.state.file, which keeps what the store said last for the time that it is away';
  site.at('store').report('missing-key', `${expected}, found none`);
}

function checkFleet({ fleet, store, policyKeys }: DaemonSettings, site: Site): void {
  if (fleet.policy && store === undefined) {
    site.at('fleet', 'policy').report('missing-key', 'expected daemon.store, which the policy comes from, found none');
  }
  if (!fleet.policy && policyKeys.length > 0) {
    const text = 'policy_keys has no effect without fleet.policy: on, for the policy is that of this file';
    site.at('policy_keys').report('no-effect', text, 'key');
  }
}

function listenAddress(
  text: string | undefined,
  site: Site,
  fallback: ListenAddress | undefined,
): ListenAddress | undefined {
  if (text === undefined) return fallback;
  return text === 'off' ? undefined : parseListen(text, site, 0);
}

function unixMode(text: string | undefined, site: Site): number {
  if (text === undefined) return DEFAULT_SETTINGS.unixMode;
  if (!/^0?[0-7]{3}$/.test(text)) {
    site.report('bad-value', `expected three octal digits, as in "0660", found ${JSON.stringify(text)}`);
    return DEFAULT_SETTINGS.unixMode;
  }
  return Number.parseInt(text, 8);
}
