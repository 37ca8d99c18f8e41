/** A caller over WebSocket (RFC 7118), and a proxy that takes such. One text frame is one message. */

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join, relative } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { answered } from './party.js';
import type { Identity } from './pki.js';
import { type SipText, statusOf } from './sip-text.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

const MODULES = `tcp_accept_no_cl=yes
loadmodule "xhttp.so"
loadmodule "websocket.so"
`;
const HANDSHAKE = `
event_route[xhttp:request] {
	if ($hdr(Upgrade) =~ "websocket" && ws_handle_handshake()) {
		exit;
	}
	xhttp_reply("404", "Not Found", "", "");
}
`;

/** cscf.cfg that takes WebSocket on its TCP socket: writes it, and gives its path below the repository. */
export function websocketScript(directory: string): string {
  const sample = readFileSync(join(ROOT, 'kamailio-cfg/cscf.cfg'), 'utf8');
  const text = sample
    .replace('loadmodule "maxfwd.so"\n', (line) => MODULES + line)
    .replace('include_file "../plugin/', () => `include_file "${join(ROOT, 'plugin/')}`);
  const file = join(directory, 'websocket.cfg');
  writeFileSync(file, text + HANDSHAKE);
  return relative(ROOT, file);
}

function frame(text: SipText): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  const mask = randomBytes(4);
  const size =
    bytes.length < 126
      ? Buffer.from([0x80 | bytes.length])
      : Buffer.from([0xfe, bytes.length >> 8, bytes.length & 255]);
  return Buffer.concat([Buffer.from([0x81]), size, mask, bytes.map((byte, at) => byte ^ (mask[at % 4] ?? 0))]);
}

export class WebSocketCaller {
  readonly #socket: Socket;

  /** Final and provisional answers so far, 100 left out. */
  readonly answers: SipText[] = [];
  /** Requests that came over this connection. Each is answered as `answer` says. */
  readonly got: SipText[] = [];
  answer: (text: SipText) => SipText = (text) => answered(text, '200 OK');
  #rest = Buffer.alloc(0);

  private constructor(socket: Socket) {
    this.#socket = socket;

    socket.on('data', (more) => this.#read(more));
    socket.on('error', () => {});
  }

  /** With an identity over TLS. */
  static async open(host: string, port: number, source: string, identity?: Identity): Promise<WebSocketCaller> {
    const place = { host, port, localAddress: source };
    const own = identity && { cert: readFileSync(identity.certificate), key: readFileSync(identity.key) };
    const socket = own ? connectTls({ ...place, ...own, rejectUnauthorized: false }) : connect(place);
    await once(socket, own ? 'secureConnect' : 'connect');
    const rows = [
      `Origin: http://${host}`,
      'Upgrade: websocket',
      'Connection: Upgrade',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Protocol: sip',
    ];
    const key = `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`;
    socket.write([`GET / HTTP/1.1`, `Host: ${host}`, ...rows, key, '', ''].join('\r\n'));
    let answer = '';
    while (!answer.includes('\r\n\r\n')) answer += String(((await once(socket, 'data')) as [Buffer])[0]);
    if (!answer.startsWith('HTTP/1.1 101')) throw new Error(`no WebSocket: ${answer}`);
    return new WebSocketCaller(socket);
  }

  send(text: SipText): void {
    this.#socket.write(frame(text));
  }

  /** Where requests for this caller go: its end of the connection. */
  get uri(): string {
    return `sip:carol@${this.#socket.localAddress}:${this.#socket.localPort};transport=ws`;
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(more: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, more]);
    for (;;) {
      const [, second = 0, high = 0, low = 0] = this.#rest;
      const head = (second & 127) === 126 ? 4 : 2;
      const size = head === 4 ? high * 256 + low : second & 127;
      if (this.#rest.length < 2 || this.#rest.length < head + size) return;
      const text = this.#rest.subarray(head, head + size).toString('latin1');
      this.#rest = this.#rest.subarray(head + size);
      if (!text.startsWith('SIP/2.0 ')) {
        this.got.push(text);
        if (!text.startsWith('ACK ')) this.send(this.answer(text));
      } else if (statusOf(text) > 100) this.answers.push(text);
    }
  }
}
