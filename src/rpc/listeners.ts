import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { OperatorLog } from '../log/logger.js';
import type { DaemonSettings } from '../policy/settings.js';
import type { ReloadReport } from '../state/policy-holder.js';
import type { TrustState } from '../state/trust-state.js';
import { createDispatcher } from './dispatcher.js';
import { methodTable } from './methods.js';
import { listenFifo } from './wire/fifo.js';
import { listenHttp } from './wire/http.js';
import type { Listener, WireLog } from './wire/listener.js';
import { listenTcp } from './wire/tcp.js';
import { listenUnix, type UnixOptions } from './wire/unix.js';

export interface Listeners {
  readonly addresses: readonly string[];
  close(graceMs: number): Promise<void>;
}

/** Opens every wire that the settings name, or none: a daemon that lacks one of its wires is a trap. */
export async function openListeners(
  settings: DaemonSettings,
  state: TrustState,
  log: OperatorLog,
  reload: () => ReloadReport,
): Promise<Listeners | { readonly failed: string }> {
  const { listen, allowRemote, unixMode, viewerMode, viewerGroup } = settings;
  const wireLog: WireLog = (event, detail) => log.warn(event, detail);
  const dispatch = createDispatcher(methodTable(state, log, reload), {
    onForbidden: (method, { wire, peer, role, credential = '' }) => {
      state.counters.add(`forbidden.${wire}`);
      log.warn('a method was refused', { method, wire, peer, role, credential });
    },
    onInternalError: (error, method) => log.error('a method failed', { method, error: String(error) }),
  });
  const wires: (() => Promise<Listener>)[] = [];
  const { netstring, http, unix, viewer, fifo, fifoReplyDir } = listen;
  if (netstring !== undefined) {
    const { address: host, port } = netstring;
    wires.push(() => listenTcp({ dispatch, host, port, allowRemote, log: wireLog }));
  }
  if (http !== undefined) {
    const { address: host, port } = http;
    const readiness = () => ({ ready: true, reasons: [] });
    wires.push(() => listenHttp({ dispatch, host, port, allowRemote, log: wireLog, readiness }));
  }
  const socket = (path: string, options: Pick<UnixOptions, 'mode' | 'group' | 'role'>): void => {
    wires.push(() => {
      // The mode of the socket says who may open it; viewers need a way to theirs.
      mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
      return listenUnix({ dispatch, path, log: wireLog, ...options });
    });
  };
  if (unix !== undefined) socket(unix, { mode: unixMode, role: 'operator' });
  if (viewer !== undefined) socket(viewer, { mode: viewerMode, group: viewerGroup, role: 'viewer' });
  if (fifo !== undefined) {
    wires.push(() => listenFifo({ dispatch, path: fifo, mode: unixMode, replyDir: fifoReplyDir, log: wireLog }));
  }
  return openAll(wires);
}

async function openAll(wires: readonly (() => Promise<Listener>)[]): Promise<Listeners | { readonly failed: string }> {
  const open: Listener[] = [];
  try {
    for (const wire of wires) open.push(await wire());
  } catch (error) {
    await Promise.all(open.map((listener) => listener.close(0)));
    return { failed: error instanceof Error ? error.message : String(error) };
  }
  return {
    addresses: open.map(({ address }) => address),
    close: async (graceMs) => {
      await Promise.all(open.map((listener) => listener.close(graceMs)));
    },
  };
}
