/** The way from a node to its database: plain, slow, or cut so that nobody notices. */

import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

export class SlowWay {
  #delay: number | undefined = 0;
  /** Pieces that the node has sent; a statement is one or two. */
  pieces = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(target: number) {
    this.#server = createServer((near) => {
      const far = connect(target, '127.0.0.1');
      near.on('data', () => {
        this.pieces += 1;
      });
      this.#join(near, far);
      this.#join(far, near);
    });
  }

  static async open(target: number): Promise<SlowWay> {
    const way = new SlowWay(target);
    way.#server.listen(0, '127.0.0.1');
    await once(way.#server, 'listening');
    return way;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  /** Holds each piece back for so many milliseconds. */
  slow(delay: number): void {
    this.#delay = delay;
  }

  /** What is sent is lost, and nobody is told. */
  cut(): void {
    this.#delay = undefined;
  }

  /** Ends what is open now; what comes is let through. */
  drop(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  heal(): void {
    this.#delay = 0;
  }

  close(): void {
    this.#server.close();
    this.drop();
  }

  #join(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    from.on('data', (piece) => {
      if (this.#delay !== undefined) setTimeout(() => to.write(piece), this.#delay);
    });
    from.on('error', () => {});
    from.on('close', () => {
      this.#sockets.delete(from);
      to.destroy();
    });
  }
}
