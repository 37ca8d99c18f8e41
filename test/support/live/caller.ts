/** Callers that send the bytes they are told to, over TLS, TCP or UDP, and read what comes back. */

import { randomBytes } from 'node:crypto';
import { createSocket, type Socket as DatagramSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, isIPv6, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Identity } from './pki.js';
import { eventually } from './places.js';
import { headerOf, rowsOf, type SipText, statusOf, wholeMessages } from './sip-text.js';

/** The parts of a request that tests choose; the rest is as an ordinary proxy sends it. */
export interface RequestTerms {
  readonly method?: string;
  readonly ruri?: string;
  /** Whole header lines, put in before Content-Length. */
  readonly headers?: readonly string[];
  readonly from?: string;
  readonly to?: string;
  readonly callId?: string;
  readonly branch?: string;
  readonly cseq?: number;
  readonly body?: string;
  /** As the topmost Via claims it. */
  readonly transport?: string;
}

export function freshCallId(): string {
  return `${randomBytes(8).toString('hex')}@caller.example`;
}

/** A request as text, one character per byte. */
export function request(terms: RequestTerms = {}): SipText {
  const { method = 'INVITE', ruri = 'sip:bob@own.example', headers = [], body = '', cseq = 1 } = terms;
  const { from = '"Alice" <sip:alice@a.example>;tag=alice', to = '<sip:bob@own.example>' } = terms;
  const { callId = freshCallId(), branch = `z9hG4bK${randomBytes(8).toString('hex')}`, transport = 'TLS' } = terms;
  const lines = [
    `${method} ${ruri} SIP/2.0`,
    `Via: SIP/2.0/${transport} sbc.a.example:5061;branch=${branch};rport`,
    'Max-Forwards: 70',
    `From: ${from}`,
    `To: ${to}`,
    `Call-ID: ${callId}`,
    `CSeq: ${cseq} ${method}`,
    'Contact: <sip:alice@sbc.a.example>',
    ...headers,
    `Content-Length: ${body.length}`,
  ];
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}

export interface Caller {
  /** Its own address and port, as the decision log writes them. */
  readonly source: string;
  /** Final and provisional answers so far, 100 left out. */
  readonly answers: readonly SipText[];
  readonly closed: boolean;
  send(text: SipText): void;
  /** The final answer to this Call-ID (and CSeq method), as soon as it is there. */
  final(callId: string, method?: string): Promise<SipText>;
  close(): void;
}

abstract class Recorder implements Caller {
  readonly answers: SipText[] = [];
  closed = false;

  abstract readonly source: string;
  abstract send(text: SipText): void;
  abstract close(): void;

  final(callId: string, method?: string): Promise<SipText> {
    return eventually(`a final answer to ${callId}`, () =>
      this.answers.find(
        (text) =>
          statusOf(text) >= 200 &&
          headerOf(text, 'Call-ID') === callId &&
          (method === undefined || headerOf(text, 'CSeq')?.endsWith(method)),
      ),
    );
  }

  protected take(text: SipText): void {
    if (statusOf(text) !== 100 && text.trim() !== '') this.answers.push(text);
  }
}

export class StreamCaller extends Recorder {
  readonly #socket: Socket;

  readonly source: string;
  #rest = '';

  /** Takes a connected socket. */
  constructor(socket: Socket) {
    super();
    this.#socket = socket;

    this.source = `${socket.localAddress}:${socket.localPort}`;
    socket.on('data', (bytes: Buffer) => this.#read(bytes.toString('latin1')));
    socket.on('close', () => {
      this.closed = true;
    });
    socket.on('error', () => {});
  }

  send(text: SipText): void {
    this.#socket.write(Buffer.from(text, 'latin1'));
  }

  /** Each line in a write of its own: over TLS, a record (as sofia-sip writes, which is in FreeSWITCH). */
  async sendByLine(text: SipText): Promise<void> {
    this.#socket.setNoDelay(true);
    for (const line of text.split(/(?<=\n)/))
      await new Promise((written) => this.#socket.write(Buffer.from(line, 'latin1'), written));
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(more: string): void {
    const { messages, rest } = wholeMessages(this.#rest + more);
    this.#rest = rest;
    for (const text of messages) this.take(text);
  }
}

class DatagramCaller extends Recorder {
  readonly #host: string;
  readonly #port: number;

  readonly #socket: DatagramSocket;
  #source = '';

  get source(): string {
    return this.#source;
  }

  constructor(host: string, port: number) {
    super();
    this.#host = host;
    this.#port = port;

    this.#socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
    this.#socket.on('message', (bytes) => this.take(bytes.toString('latin1')));
  }

  async bind(address: string, port: number): Promise<this> {
    this.#socket.bind(port, address);
    await once(this.#socket, 'listening');
    this.#source = `${address}:${this.#socket.address().port}`;
    return this;
  }

  send(text: SipText): void {
    this.#socket.send(Buffer.from(text, 'latin1'), this.#port, this.#host);
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.#socket.close();
  }
}

/** A TLS connection; without an identity no certificate is presented. The server's certificate is not looked at. */
export async function tlsCaller(
  host: string,
  port: number,
  identity?: Identity,
  source?: string,
  ciphers?: string,
  sourcePort?: number,
): Promise<StreamCaller> {
  const own = identity ? { cert: readFileSync(identity.certificate), key: readFileSync(identity.key) } : {};
  const socket = connectTls({
    ...{ host, port, rejectUnauthorized: false, ...own },
    // Its own certificate may be as weak as a test wants it; what the connection uses, the server chooses.
    ...(ciphers === undefined ? { ciphers: 'DEFAULT@SECLEVEL=0' } : { ciphers, maxVersion: 'TLSv1.2' as const }),
    ...(source === undefined ? {} : { localAddress: source }),
    ...(sourcePort === undefined ? {} : { localPort: sourcePort }),
  });
  await once(socket, 'secureConnect');
  return new StreamCaller(socket);
}

/** The certificate that a TLS server presents now, as PEM. */
export async function presentedBy(host: string, port: number): Promise<string> {
  const socket = connectTls({ host, port, rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  socket.on('error', () => {});
  const certificate = socket.getPeerX509Certificate();
  socket.destroy();
  return certificate?.toString() ?? '';
}

/** What lets a client resume the session of a handshake with this identity (RFC 8446 §4.6.1). */
export async function tlsTicket(host: string, port: number, identity: Identity): Promise<Buffer> {
  const own = { cert: readFileSync(identity.certificate), key: readFileSync(identity.key) };
  const socket = connectTls({ host, port, rejectUnauthorized: false, ...own });
  const [ticket] = (await once(socket, 'session')) as [Buffer];
  socket.destroy();
  return ticket;
}

/** A TLS connection that resumes a session and presents no certificate itself. */
export function resumingCaller(host: string, port: number, session: Buffer, source?: string): Promise<Caller> {
  const from = source === undefined ? {} : { localAddress: source };
  // Each process of the proxy has keys of its own for tickets: only the one that gave it knows it again.
  return eventually('a process that resumes the session', async () => {
    const socket = connectTls({ host, port, rejectUnauthorized: false, session, ...from });
    await once(socket, 'secureConnect');
    if (socket.isSessionReused()) return new StreamCaller(socket);
    socket.destroy();
    return false;
  });
}

export async function tcpCaller(host: string, port: number, source?: string): Promise<Caller> {
  const socket = connect({ host, port, ...(source === undefined ? {} : { localAddress: source }) });
  await once(socket, 'connect');
  return new StreamCaller(socket);
}

export function udpCaller(host: string, port: number, source: string, sourcePort = 0): Promise<Caller> {
  return new DatagramCaller(host, port).bind(source, sourcePort);
}

/** The route set and target that a dialog's first answer gives (RFC 3261 §12.1.2), as terms of later requests. */
export function inDialog(answer: SipText): Pick<RequestTerms, 'ruri' | 'to' | 'callId'> & { readonly route: string[] } {
  const target = /<([^>]+)>/.exec(headerOf(answer, 'Contact') ?? '')?.[1];
  const callId = headerOf(answer, 'Call-ID');
  return {
    to: headerOf(answer, 'To') ?? '',
    ...(target === undefined ? {} : { ruri: target }),
    ...(callId === undefined ? {} : { callId }),
    route: [...rowsOf(answer, 'Record-Route')].reverse().map((value) => `Route: ${value}`),
  };
}
