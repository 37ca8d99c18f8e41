/** A way to the database that can be cut, and that counts. */

import { connect, createServer, type Server, type Socket } from 'node:net';

export class CuttableRelay {
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  #cut = false;
  /** Octets that came from the database through here. */
  octets = 0;

  private constructor(to: number) {
    this.#server = createServer((inside) => {
      if (this.#cut) return void inside.destroy();
      const outside = connect(to, '127.0.0.1');
      outside.on('data', ({ length }: Buffer) => {
        this.octets += length;
      });
      for (const [from, into] of [
        [inside, outside],
        [outside, inside],
      ] as const) {
        this.#sockets.add(from);
        from.pipe(into);
        from.on('error', () => into.destroy());
        from.on('close', () => into.destroy());
      }
    });
  }

  static async to(port: number): Promise<CuttableRelay> {
    const relay = new CuttableRelay(port);
    await new Promise<void>((resolve) => relay.#server.listen(0, '127.0.0.1', resolve));
    return relay;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  cut(): void {
    this.#cut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  join(): void {
    this.#cut = false;
  }

  close(): void {
    this.cut();
    this.#server.close();
  }
}
