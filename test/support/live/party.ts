/** Somebody at an address of their own, over UDP, TCP and TLS alike: keeps every byte that comes, answers as a test says. */

import { createSocket, type Socket as DatagramSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, isIPv6, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { Identity } from './pki.js';
import { eventually } from './places.js';
import { headerOf, methodOf, rowsOf, type SipText, statusOf, wholeMessages } from './sip-text.js';

export type Transport = 'udp' | 'tcp' | 'tls';

/** What to send for a request, in this order; the bytes are sent as they are. */
export type Answering = (request: SipText, transport: Transport) => readonly SipText[];

/** An ordinary answer with these rows besides. */
export function answered(
  request: SipText,
  line: string,
  rows: readonly string[] = [],
  copied: readonly string[] = ['Via', 'Record-Route', 'From', 'Call-ID', 'CSeq'],
): SipText {
  const to = headerOf(request, 'To') ?? '';
  const mirrored = copied.flatMap((name) => rowsOf(request, name).map((value) => `${name}: ${value}`));
  const own = [`To: ${to}${to.includes(';tag=') ? '' : ';tag=party'}`, ...rows, 'Content-Length: 0'];
  return `${[`SIP/2.0 ${line}`, ...mirrored, ...own].join('\r\n')}\r\n\r\n`;
}

/** An address as URIs bear it. */
export function uriHost(address: string): string {
  return isIPv6(address) ? `[${address}]` : address;
}

export class Party {
  /** Everything that came. */
  readonly got: SipText[] = [];
  answer: Answering = (request, transport) => [
    ...(methodOf(request) === 'INVITE' ? [answered(request, '180 Ringing', [this.contact(transport)])] : []),
    answered(request, '200 OK', [this.contact(transport)]),
  ];
  readonly #sockets = new Set<Socket>();
  readonly #servers: Server[];
  readonly #datagrams: DatagramSocket;

  private constructor(
    readonly host: string,
    readonly ports: { readonly sip: number; readonly sips: number },
    datagrams: DatagramSocket,
    tcp: Server,
    tls: Server,
  ) {
    this.#datagrams = datagrams;
    this.#servers = [tcp, tls];
    datagrams.on('message', (bytes, from) =>
      this.#take(bytes.toString('latin1'), 'udp', (text) =>
        datagrams.send(Buffer.from(text, 'latin1'), from.port, from.address, () => {}),
      ),
    );
    tcp.on('connection', (socket) => this.#serve(socket, 'tcp'));
    tls.on('secureConnection', (socket) => this.#serve(socket, 'tls'));
    tls.on('tlsClientError', () => {});
  }

  static async start(host: string, identity: Identity, ports = { sip: 5060, sips: 5061 }): Promise<Party> {
    const own = { cert: readFileSync(identity.certificate), key: readFileSync(identity.key) };
    const datagrams = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
    const tcp = createServer();
    const tls = createTlsServer({ ...own, requestCert: true, rejectUnauthorized: false });
    const party = new Party(host, ports, datagrams, tcp, tls);
    datagrams.bind(ports.sip, host);
    tcp.listen(ports.sip, host);
    tls.listen(ports.sips, host);
    await Promise.all([once(datagrams, 'listening'), once(tcp, 'listening'), once(tls, 'listening')]);
    return party;
  }

  /** Where it is reached over this transport. */
  uri(transport: Transport, user = 'party'): string {
    const { sip, sips } = this.ports;
    return `sip:${user}@${uriHost(this.host)}:${transport === 'tls' ? sips : sip};transport=${transport}`;
  }

  contact(transport: Transport): string {
    return `Contact: <${this.uri(transport)}>`;
  }

  find(callId: string, method: string): SipText | undefined {
    return this.got.find((text) => methodOf(text) === method && headerOf(text, 'Call-ID') === callId);
  }

  received(callId: string, method: string): Promise<SipText> {
    return eventually(`${method} of ${callId} at ${this.host}`, () => this.find(callId, method));
  }

  stop(): void {
    this.#datagrams.close();
    for (const server of this.#servers) server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #take(text: SipText, transport: Transport, reply: (text: SipText) => void): void {
    if (text.trim() === '') return;
    this.got.push(text);
    if (statusOf(text) > 0 || methodOf(text) === 'ACK') return;
    for (const each of this.answer(text, transport)) reply(each);
  }

  #serve(socket: Socket, transport: Transport): void {
    this.#sockets.add(socket);
    let stream = '';
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => {});
    socket.on('data', (bytes: Buffer) => {
      const { messages, rest } = wholeMessages(stream + bytes.toString('latin1'));
      stream = rest;
      for (const text of messages) {
        this.#take(text, transport, (answer) => socket.write(Buffer.from(answer, 'latin1')));
      }
    });
  }
}
