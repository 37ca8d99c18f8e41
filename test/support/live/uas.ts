/** A called party over UDP that keeps every byte it gets. */

import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { eventually } from './places.js';
import { bodyOf, headerOf, methodOf, rowsOf, type SipText } from './sip-text.js';

export interface UasOptions {
  /** Header lines of each answer. */
  readonly extra?: readonly string[];
  /** The final answer to INVITE; others get 200. */
  readonly status?: string;
  /** Provisional answers to INVITE before that. */
  readonly provisional?: readonly string[];
  /** Answer an INVITE only by its provisional answers; a CANCEL by 200 and the INVITE by 487. */
  readonly ringing?: boolean;
}

export class Uas {
  readonly host: string;
  readonly port: number;
  readonly #socket: Socket;
  readonly #got: SipText[] = [];
  readonly #options: UasOptions;
  /** The INVITE that rings, and where it came from. */
  #ringing: { readonly text: SipText; readonly port: number; readonly address: string } | undefined;

  private constructor(socket: Socket, host: string, port: number, options: UasOptions) {
    this.#socket = socket;
    this.host = host;
    this.port = port;
    this.#options = options;
    socket.on('message', (bytes, { address, port: from }) => this.#take(bytes.toString('latin1'), address, from));
  }

  static async start(host: string, options: UasOptions = {}, port = 5060): Promise<Uas> {
    const socket = createSocket('udp4');
    socket.bind(port, host);
    await once(socket, 'listening');
    return new Uas(socket, host, port, options);
  }

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

  stop(): void {
    this.#socket.close();
  }

  #take(text: SipText, address: string, port: number): void {
    if (text.trim() === '') return;
    this.#got.push(text);
    const { status = '200 OK', provisional = ['180 Ringing'], ringing = false } = this.#options;
    const method = methodOf(text);
    const answer = (to: SipText, line: string, at = { address, port }): void =>
      this.#socket.send(Buffer.from(this.#answer(to, line), 'latin1'), at.port, at.address);
    if (method === 'ACK') return;
    if (method !== 'INVITE') answer(text, '200 OK');
    if (method === 'CANCEL' && this.#ringing !== undefined)
      answer(this.#ringing.text, '487 Request Terminated', this.#ringing);
    if (method !== 'INVITE') return;
    for (const line of provisional) answer(text, line);
    if (ringing) this.#ringing = { text, port, address };
    else answer(text, status);
  }

  #answer(request: SipText, line: string): string {
    const copied = ['Via', 'Record-Route', 'From', 'Call-ID', 'CSeq'].flatMap((name) =>
      rowsOf(request, name).map((value) => `${name}: ${value}`),
    );
    const to = headerOf(request, 'To') ?? '';
    const extra = bodyOf(request) === undefined ? [] : (this.#options.extra ?? []);
    const lines = [
      `SIP/2.0 ${line}`,
      ...copied,
      `To: ${to}${to.includes(';tag=') ? '' : ';tag=uas'}`,
      `Contact: <sip:uas@${this.host}:${this.port}>`,
      ...extra,
    ];
    return `${lines.join('\r\n')}\r\nContent-Length: 0\r\n\r\n`;
  }
}
