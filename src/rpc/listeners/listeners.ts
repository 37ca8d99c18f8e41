import { unwatchFile, watchFile } from 'node:fs';
import { dirname } from 'node:path';
import { type AuditLog, type OperatorLog, seldom } from '../../log/index.js';
import type { DaemonSettings, TlsSettings } from '../../policy/settings/index.js';
import type { ReloadReport } from '../../state/policy/index.js';
import { makeDirectory } from '../../state/store/index.js';
import type { TrustState } from '../../state/trust/index.js';
import { Credentials, Tokens } from '../access/index.js';
import { audited, createDispatcher, type Dispatch, type Method } from '../dispatch/index.js';
import { decisionRoute, pageRoutes, type Readiness, readiness, readyRoute } from '../http/index.js';
import { methodTable } from '../methods/index.js';
import { Metrics, metricsRoute } from '../metrics/index.js';
import {
  type HttpListener,
  type HttpOptions,
  type HttpRoute,
  type Listener,
  listenFifo,
  listenHttp,
  listenTcp,
  listenUnix,
  type UnixOptions,
  type WireLog,
} from '../wire/index.js';
import { readIdentity } from './listener-identity.js';

export interface Listeners {
  readonly addresses: readonly string[];
  close(graceMs: number): Promise<void>;
}

/** What listeners serve, and who is told of what. */
export interface Served {
  readonly state: TrustState;
  readonly log: OperatorLog;
  readonly audit: AuditLog;
  /** @param by who asks for it */
  readonly reload: (by: string) => Promise<ReloadReport>;
  /** The policy file; undefined: nothing can be promoted to it. */
  readonly config?: string;
}

type Open = () => Promise<Listener>;

/** Certificates are exchanged while we run. */
const RENEW_LOOK_MS = 60_000;

/** Opens every wire that the settings name, or none: a daemon that lacks one of its wires is a trap. */
export async function openListeners(
  settings: DaemonSettings,
  served: Served,
): Promise<Listeners | { readonly failed: string; readonly code?: unknown }> {
  const { state, log } = served;
  const { access } = settings;
  const open: Listener[] = [];
  let all = false;
  let stopping = false;
  const readyNow = (): Readiness => readiness(state, all ? open : [], stopping);
  const tokens =
    access.tokens === undefined ? undefined : new Tokens(access.tokens, () => state.now(), log, state.store);
  const table = methodTable(state, log, served.reload, { tokens, audit: served.audit, config: served.config });
  const names = table.map(({ name }) => name);
  // Nobody asks for them where they are off: nothing is counted either.
  const metrics = access.metrics === 'off' ? undefined : new Metrics(state, readyNow, names);
  const dispatch = dispatcherOf(table, served, metrics);
  const routes = routesOf(settings, served, readyNow, metrics);
  try {
    for (const wire of wiresOf(settings, served, dispatch, webOptions(settings, served, tokens, routes))) {
      open.push(await wire());
    }
  } catch (error) {
    await Promise.all(open.map((listener) => listener.close(0)));
    metrics?.close();
    const code = error instanceof Error && 'code' in error ? { code: error.code } : {};
    return { failed: error instanceof Error ? error.message : String(error), ...code };
  }
  all = true;
  return {
    addresses: open.map(({ address }) => address),
    close: async (graceMs) => {
      stopping = true;
      await Promise.all(open.map((listener) => listener.close(graceMs)));
      metrics?.close();
    },
  };
}

/** What is served over HTTP beside questions. */
function routesOf(
  { access, ui }: DaemonSettings,
  { state, log }: Served,
  readyNow: () => Readiness,
  metrics: Metrics | undefined,
): readonly HttpRoute[] {
  const page = ui ? pageRoutes() : [];
  // Calls do not wait for a page.
  if (ui && page.length === 0) log.error('the page at /ui is not there: it was not built (npm run build)');
  return [
    readyRoute(readyNow),
    ...(metrics === undefined ? [] : [metricsRoute(metrics, access.metrics === 'open' ? 'script' : 'viewer')]),
    decisionRoute(state),
    ...page,
  ];
}

/** What opens each wire that the settings name, in their order. */
function wiresOf(
  { listen, access, tls, allowRemote, unixMode, viewerMode, viewerGroup }: DaemonSettings,
  served: Served,
  dispatch: Dispatch,
  web: ReturnType<typeof webOptions>,
): readonly Open[] {
  const log: WireLog = (event, detail) => served.log.warn(event, detail);
  const { netstring, http, https, unix, viewer, fifo, fifoReplyDir } = listen;
  const { connections, connectionsPerSource: perSource } = access;
  const common = { dispatch, log, bounds: { connections, perSource } };
  const overHttp = { ...common, ...web };
  const wires: Open[] = [];
  if (netstring !== undefined) {
    const { address: host, port } = netstring;
    wires.push(() => listenTcp({ ...common, host, port }));
  }
  if (http !== undefined) {
    const { address: host, port } = http;
    wires.push(() => listenHttp({ ...overHttp, host, port }));
  }
  if (https !== undefined && tls !== undefined) {
    const { address: host, port } = https;
    wires.push(() => listenHttps({ ...overHttp, host, port, allowRemote }, tls, served));
  }
  const socket = (path: string, options: Pick<UnixOptions, 'mode' | 'group' | 'role'>): void => {
    wires.push(() => {
      // The mode of the socket says who may open it; viewers need a way to theirs.
      makeDirectory(dirname(path), 0o755);
      return listenUnix({ ...common, path, ...options });
    });
  };
  if (unix !== undefined) socket(unix, { mode: unixMode, role: 'operator' });
  if (viewer !== undefined) socket(viewer, { mode: viewerMode, group: viewerGroup, role: 'viewer' });
  if (fifo !== undefined) {
    wires.push(() => listenFifo({ dispatch, path: fifo, mode: unixMode, replyDir: fifoReplyDir, log }));
  }
  return wires;
}

function dispatcherOf(table: readonly Method[], { state, log, audit }: Served, metrics: Metrics | undefined): Dispatch {
  const revision = (): number => state.policy.snapshot.revision;
  const methods = table.map((method) => audited(method, { audit, clock: () => state.now(), revision }));
  const tell = seldom(() => state.now());
  return createDispatcher(methods, {
    ...(metrics === undefined ? {} : { onAnswered: metrics.answered }),
    onForbidden: (method, { wire, peer, role, credential = '' }) => {
      state.counters.add(`forbidden.${wire}`);
      tell(wire, { method, wire, peer, role, credential }, (fields) => log.warn('a method was refused', fields));
    },
    onInternalError: (error, method) => log.error('a method failed', { method, error: String(error) }),
  });
}

function webOptions(
  { access }: DaemonSettings,
  { state, log }: Served,
  tokens: Tokens | undefined,
  routes: readonly HttpRoute[],
): Pick<HttpOptions, 'hosts' | 'callerOf' | 'routes' | 'onRefused'> {
  const tell = seldom(() => state.now());
  const credentials = new Credentials({
    // A reload takes a certificate away at once.
    certificates: () => state.policy.settings.access.certificates,
    tokens,
    clock: () => state.now(),
    onRefused: (why, address) => {
      state.counters.add(`credential-refused.${why}`);
      tell(`${why} ${address}`, { why, address }, (fields) => log.warn('a credential was refused', fields));
    },
  });
  return {
    hosts: access.hosts,
    callerOf: (shown) => credentials.callerOf(shown),
    routes,
    onRefused: (status, path, peer) => {
      state.counters.add(`http-refused.${status}`);
      tell(`http ${status}`, { status, path: path.slice(0, 60), peer }, (fields) =>
        log.warn('an HTTP request was refused', fields),
      );
    },
  };
}

/** Reads the certificate again when its file changes; one that is no good stays where it is. */
async function listenHttps(options: HttpOptions, files: TlsSettings, { state, log }: Served): Promise<Listener> {
  const listener: HttpListener = await listenHttp({ ...options, tls: readIdentity(files, state.ends) });
  const renew = (): void => {
    try {
      listener.renew(readIdentity(files, state.ends));
      log.info('the certificate of the HTTPS listener was read again', { file: files.certificate });
    } catch (error) {
      log.error('the certificate of the HTTPS listener is no good; the old one stays', { error: String(error) });
    }
  };
  const paths = [files.certificate, files.key];
  for (const path of paths) watchFile(path, { interval: RENEW_LOOK_MS, persistent: false }, renew);
  return {
    ...listener,
    close: (graceMs) => {
      for (const path of paths) unwatchFile(path, renew);
      return listener.close(graceMs);
    },
  };
}
