/** What settings of `daemon:` ask of each other. */

import { isLoopback } from '../../net/address/index.js';
import type { Site } from '../reading/index.js';
import type { DaemonSettings } from './daemon-settings.js';
import type { DaemonInput } from './schema.js';

/** Longest path that a unix socket address holds on Linux, without its final NUL (unix(7)). */
const MOST_SOCKET_PATH = 107;

/** Reports what does not go together; `site` is that of `daemon:`. */
export function checkSettings(settings: DaemonSettings, input: DaemonInput, site: Site): void {
  checkListeners(settings, site.at('listen'));
  checkHttps(settings, site);
  checkPage(settings, site.at('ui'));
  checkStore(settings, site);
  checkFleet(settings, input.store !== undefined, site);
  checkDns(input.dns, site.at('dns'));
  checkRevocation(input.revocation, site.at('revocation'));
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

/** Whether anybody is let in over HTTP by what he shows. */
export function hasCredentials({ tokens, certificates }: DaemonSettings['access']): boolean {
  return tokens !== undefined || certificates.length > 0;
}

/** Everything on the page is a viewer's. */
function checkPage({ ui, access }: DaemonSettings, at: Site): void {
  if (!ui || hasCredentials(access)) return;
  const expected = 'expected credentials of viewers (daemon.access.tokens or daemon.access.certificates)';
  at.report('no-credentials', `${expected}, found none`);
}

function checkStore({ store, state }: DaemonSettings, site: Site): void {
  if (store === undefined || state.file !== undefined) return;
  const expected = 'expected daemon.state.file, which keeps what the store said last for the time that it is away';
  site.at('store').report('missing-key', `${expected}, found none`);
}

/** @param stored whether a store is named, well or not */
function checkFleet({ fleet, policyKeys }: DaemonSettings, stored: boolean, site: Site): void {
  if (fleet.policy && !stored) {
    site.at('fleet', 'policy').report('missing-key', 'expected daemon.store, which the policy comes from, found none');
  }
  if (!fleet.policy && policyKeys.length > 0) {
    const text = 'policy_keys has no effect without fleet.policy: on, for the policy is that of this file';
    site.at('policy_keys').report('no-effect', text, 'key');
  }
}

function checkDns({ trust_ad: trustAd, servers = [] }: DaemonInput['dns'] = {}, site: Site): void {
  if (!trustAd || servers.length > 0) return;
  const text = 'trust_ad has no effect without servers: whom resolv.conf names is not for it to say';
  site.at('trust_ad').report('no-effect', text, 'key');
}

function checkRevocation({ fetch, hosts = [] }: DaemonInput['revocation'] = {}, site: Site): void {
  if (fetch === 'on' && hosts.length === 0) {
    const text = 'fetch has no effect without hosts: nothing may be fetched from anywhere';
    site.at('fetch').report('no-effect', text, 'key');
  } else if (fetch !== 'on' && hosts.length > 0) {
    site.at('hosts').report('no-effect', 'hosts has no effect without fetch: on', 'key');
  }
}
