/** What crosses the core, as tshark reads it: a line for each packet on each of its links, and every byte in a file. */

import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { Child } from '../support/live/child.js';
import { eventually } from '../support/live/places.js';
import { CORE_TO_IMS2, within } from './topology.js';

export interface Packet {
  /** Outermost addresses. */
  readonly source: string;
  readonly destination: string;
  /** UDP or TCP. */
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** TCP: the connection is refused. */
  readonly reset: boolean;
  /** What tshark has found in it, from the outside: `ip`, `udp`, `udpencap`, `esp`. */
  readonly protocols: readonly string[];
}

const FIELDS = [
  'ip.src',
  'ip.dst',
  'udp.srcport',
  'udp.dstport',
  'tcp.srcport',
  'tcp.dstport',
  'tcp.flags.reset',
  'frame.protocols',
];

export class Capture {
  readonly #tshark: Child;
  readonly #file: string;
  #markers = 0;

  private constructor(tshark: Child, file: string) {
    this.#tshark = tshark;
    this.#file = file;
  }

  static async start(directory: string): Promise<Capture> {
    const file = `${directory}/core.pcapng`;
    const fields = FIELDS.flatMap((field) => ['-e', field]);
    const [command = '', ...args] = within('core', [
      ...['tshark', '-n', '-l', '-i', 'any', '-w', file, '-P', '-T', 'fields', '-E', 'separator=|', ...fields],
    ]);
    const capture = new Capture(new Child(command, args), file);
    await capture.#catchUp();
    return capture;
  }

  /** Everything since the lab began, up to this moment. */
  async packets(): Promise<readonly Packet[]> {
    await this.#catchUp();
    return this.#tshark.output.split('\n').flatMap((line) => {
      const [source = '', destination = '', udpFrom, udpTo, tcpFrom, tcpTo, reset, protocols, ...rest] =
        line.split('|');
      if (protocols === undefined || rest.length > 0) return [];
      const [sourcePort, destinationPort] = [Number(udpFrom || tcpFrom), Number(udpTo || tcpTo)];
      const ends = { source, destination, sourcePort, destinationPort };
      return [{ ...ends, reset: reset === '1' || reset === 'True', protocols: protocols.split(':') }];
    });
  }

  /** Whether these bytes stand in clear anywhere in what has crossed the core. */
  async shows(text: string): Promise<boolean> {
    await this.#catchUp();
    return readFileSync(this.#file).includes(text);
  }

  stop(): Promise<void> {
    return this.#tshark.stop('SIGINT');
  }

  /** Packets are shown in the order in which they came: when a marker is there, all that came before it is. */
  async #catchUp(): Promise<void> {
    this.#markers += 1;
    const port = 20_000 + this.#markers;
    await eventually('the capture shows the marker', async () => {
      if (this.#tshark.ended) throw new Error(`tshark ended:\n${this.#tshark.output}`);
      const socket = createSocket('udp4');
      await new Promise((sent) => socket.send('marker', port, CORE_TO_IMS2, sent));
      socket.close();
      return this.#tshark.output.includes(`|${CORE_TO_IMS2}|`) && this.#tshark.output.includes(`|${port}|`);
    });
  }
}
