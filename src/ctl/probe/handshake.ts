/** One TLS handshake as a client, and what came of it. */

import { type ConnectionOptions, connect, type DetailedPeerCertificate, type TLSSocket } from 'node:tls';

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface Offer {
  readonly sni?: string;
  /** Our certificate and its key, PEM. */
  readonly own?: { readonly cert: string; readonly key: string };
  /** CAs that the TLS stack is to hold the chain against, PEM; none: it is not asked. */
  readonly authorities?: readonly string[];
}

/** The certificates that came (leaf first, DER), what was agreed, and how the connection stood. */
export interface Shown {
  readonly chain: readonly Uint8Array[];
  readonly version: string;
  readonly cipher: string;
  readonly remote: Address;
  readonly local: Address;
  /** What the TLS stack said: empty where the chain leads to one of `authorities`. */
  readonly refusal: string;
  /** Why the server ended the connection after the handshake; empty: it did not. */
  readonly ended: string;
}

export type Outcome = { readonly shown: Shown } | { readonly failed: string };

const CONNECT_MS = 5000;
/**
 * With TLS 1.3 a server says after the handshake that it wanted a certificate (RFC 8446 §4.4.2.4). One that is content
 * mostly sends a ticket; until then it has the longer time.
 */
const SETTLE_MS = { content: 300, unknown: 1500 } as const;
/** More than any chain has; a server can send what it likes. */
const MOST_CERTIFICATES = 16;

/** Shakes hands, waits a moment for what the server says to that, and ends. */
export function shakeHands({ host, port }: Address, { sni, own, authorities = [] }: Offer): Promise<Outcome> {
  return new Promise((resolve) => {
    const options: ConnectionOptions = {
      host,
      port,
      // Who may vouch is a question for agreements: the stack is asked, and refuses nothing.
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
      ca: [...authorities],
      minVersion: 'TLSv1',
      ALPNProtocols: ['sip'],
      ...(sni === undefined ? {} : { servername: sni }),
      ...own,
    };
    let socket: TLSSocket;
    try {
      socket = connect(options);
    } catch (error) {
      resolve({ failed: words(error) });
      return;
    }
    let shown: Omit<Shown, 'ended'> | undefined;
    let failed = '';
    let over = false;
    const end = (why: string): void => {
      if (over) return;
      over = true;
      clearTimeout(timer);
      socket.removeAllListeners();
      socket.on('error', () => {});
      socket.destroy();
      resolve(shown === undefined ? { failed: why } : { shown: { ...shown, ended: why } });
    };
    let timer = setTimeout(() => end('no answer in time'), CONNECT_MS);
    socket.on('error', (error) => {
      failed = words(error);
      end(failed);
    });
    socket.on('close', () => end(failed || 'the connection was closed'));
    const settle = (ms: number): void => {
      clearTimeout(timer);
      // What has come meanwhile is read before the end.
      timer = setTimeout(() => setImmediate(() => end('')), ms);
    };
    let content = false;
    socket.on('session', () => {
      // The first alone: a server may renegotiate, or send tickets, for ever.
      if (shown === undefined || content) return;
      content = true;
      settle(SETTLE_MS.content);
    });
    socket.once('secureConnect', () => {
      shown = stateOf(socket);
      content = shown.version !== 'TLSv1.3';
      settle(content ? SETTLE_MS.content : SETTLE_MS.unknown);
    });
  });
}

function stateOf(socket: TLSSocket): Omit<Shown, 'ended'> {
  return {
    chain: chainOf(socket.getPeerCertificate(true)),
    version: socket.getProtocol() ?? '',
    cipher: socket.getCipher().name,
    remote: { host: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 },
    local: { host: socket.localAddress ?? '', port: socket.localPort ?? 0 },
    refusal: socket.authorized ? '' : String(socket.authorizationError ?? 'unknown'),
  };
}

function chainOf(leaf: DetailedPeerCertificate): readonly Uint8Array[] {
  const chain: Uint8Array[] = [];
  const seen = new Set<string>();
  for (let each = leaf; each?.raw !== undefined && chain.length < MOST_CERTIFICATES; each = each.issuerCertificate) {
    if (seen.has(each.fingerprint256)) break;
    seen.add(each.fingerprint256);
    chain.push(new Uint8Array(each.raw));
  }
  return chain;
}

function words(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const reason = 'reason' in error ? String(error.reason) : '';
  return reason === '' ? error.message : reason;
}
