/** Called parties that keep every byte they get: over UDP on our own side, over TLS in other networks. */

import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { Identity } from './pki.js';
import { eventually } from './places.js';
import { bodyOf, headerOf, methodOf, rowsOf, type SipText, statusOf, wholeMessages } from './sip-text.js';

export interface UasOptions {
  /** Header lines of each answer. */
  readonly extra?: readonly string[];
  /** How it writes the name of To, with the colon. */
  readonly toName?: string;
  /** The final answer to INVITE; others get 200. */
  readonly status?: string;
  /** Provisional answers to INVITE before that. */
  readonly provisional?: readonly string[];
  /** Answer an INVITE only by its provisional answers, until `pickUp`; a CANCEL by 200 and the INVITE by 487. */
  readonly ringing?: boolean;
  /** Answer no OPTIONS. */
  readonly quiet?: boolean;
  /** Sees each message; with it nothing is kept, however long it runs. */
  readonly watch?: (text: SipText) => void;
}

/**
 * Answers without ringing, for calls of sipp: where several processes pass answers on, 180 may come after 200, and the
 * caller would not stand that.
 */
export const AT_ONCE: UasOptions = { provisional: [] };

type Reply = (text: SipText) => void;

abstract class CalledParty {
  readonly host: string;
  readonly port: number;
  readonly #got: SipText[] = [];
  /** May be changed while it runs. */
  options: UasOptions;
  /** The INVITE that rings, and the way back. */
  #ringing: { readonly text: SipText; readonly reply: Reply } | undefined;

  constructor(host: string, port: number, options: UasOptions) {
    this.host = host;
    this.port = port;
    this.options = options;
  }

  protected abstract readonly contact: string;

  abstract stop(): void;

  /** Everything that came, as it came (one character per byte). */
  get got(): readonly SipText[] {
    return this.#got;
  }

  /** The message of this Call-ID and method, as soon as it is there. */
  received(callId: string, method: string): Promise<SipText> {
    return eventually(`${method} of ${callId} at the called party`, () => this.find(callId, method));
  }

  find(callId: string, method: string): SipText | undefined {
    return this.#got.find((text) => methodOf(text) === method && headerOf(text, 'Call-ID') === callId);
  }

  /** The final answer to the INVITE that rings. */
  pickUp(): void {
    this.#ringing?.reply(this.#answer(this.#ringing.text, this.options.status ?? '200 OK'));
  }

  protected take(text: SipText, reply: Reply): void {
    if (text.trim() === '') return;
    if (this.options.watch === undefined) this.#got.push(text);
    else this.options.watch(text);
    if (statusOf(text) > 0) return;
    const { status = '200 OK', provisional = ['180 Ringing'], ringing = false, quiet = false } = this.options;
    const method = methodOf(text);
    if (method === 'ACK' || (method === 'OPTIONS' && quiet)) return;
    if (method !== 'INVITE') reply(this.#answer(text, '200 OK'));
    if (method === 'CANCEL') this.#ringing?.reply(this.#answer(this.#ringing.text, '487 Request Terminated'));
    if (method !== 'INVITE') return;
    for (const line of provisional) reply(this.#answer(text, line));
    if (ringing) this.#ringing = { text, reply };
    else reply(this.#answer(text, status));
  }

  #answer(request: SipText, line: string): string {
    const copied = ['Via', 'Record-Route', 'From', 'Call-ID', 'CSeq'].flatMap((name) =>
      rowsOf(request, name).map((value) => `${name}: ${value}`),
    );
    const to = headerOf(request, 'To') ?? '';
    const extra = bodyOf(request) === undefined ? [] : (this.options.extra ?? []);
    const lines = [
      `SIP/2.0 ${line}`,
      ...copied,
      `${this.options.toName ?? 'To:'} ${to}${to.includes(';tag=') ? '' : ';tag=uas'}`,
      `Contact: <${this.contact}>`,
      ...extra,
    ];
    return `${lines.join('\r\n')}\r\nContent-Length: 0\r\n\r\n`;
  }
}

export class Uas extends CalledParty {
  readonly #socket: Socket;

  private constructor(socket: Socket, host: string, port: number, options: UasOptions) {
    super(host, port, options);
    this.#socket = socket;
    socket.on('message', (bytes, from) =>
      this.take(bytes.toString('latin1'), (text) =>
        socket.send(Buffer.from(text, 'latin1'), from.port, from.address, () => {}),
      ),
    );
  }

  static async start(host: string, options: UasOptions = {}, port = 5060): Promise<Uas> {
    const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
    socket.bind(port, host);
    await once(socket, 'listening');
    return new Uas(socket, host, port, options);
  }

  protected get contact(): string {
    return `sip:uas@${this.host}:${this.port}`;
  }

  stop(): void {
    this.#socket.close();
  }
}

/** A whole network of its own, as far as its callers see: one TLS listener. */
export class TlsUas extends CalledParty {
  /** Server names that connections asked for, oldest first. */
  readonly serverNames: (string | undefined)[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<TLSSocket>();

  private constructor(server: Server, host: string, port: number, options: UasOptions) {
    super(host, port, options);
    this.#server = server;
    server.on('secureConnection', (socket: TLSSocket) => this.#serve(socket));
  }

  static async start(host: string, identity: Identity, options: UasOptions = {}, port = 5061): Promise<TlsUas> {
    const own = { cert: readFileSync(identity.certificate), key: readFileSync(identity.key) };
    const server = createServer({ ...own, requestCert: true, rejectUnauthorized: false });
    server.on('tlsClientError', () => {});
    server.listen(port, host);
    await once(server, 'listening');
    return new TlsUas(server, host, port, options);
  }

  protected get contact(): string {
    return `sip:uas@${this.host}:${this.port};transport=tls`;
  }

  /** Connections that are up. */
  get connections(): number {
    return this.#sockets.size;
  }

  /** Presents another certificate on connections to come. */
  present(identity: Identity): void {
    this.#server.setSecureContext({ cert: readFileSync(identity.certificate), key: readFileSync(identity.key) });
  }

  /** Sends something over the connection that came first. */
  send(text: SipText): void {
    const [socket] = this.#sockets;
    socket?.write(Buffer.from(text, 'latin1'));
  }

  /** Ends the connections that are up; new ones are taken. */
  hangUp(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  stop(): void {
    this.#server.close();
    this.hangUp();
  }

  #serve(socket: TLSSocket): void {
    this.#sockets.add(socket);
    this.serverNames.push((socket as TLSSocket & { servername?: string }).servername);
    let stream = '';
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => {});
    socket.on('data', (bytes: Buffer) => {
      const { messages, rest } = wholeMessages(stream + bytes.toString('latin1'));
      stream = rest;
      for (const text of messages) this.take(text, (answer) => socket.write(Buffer.from(answer, 'latin1')));
    });
  }
}
