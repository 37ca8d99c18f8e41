/** JSON-RPC over netstrings on TCP: what Kamailio's janssonrpcc and jsonrpcc speak. */

import { hostPort, type Listener, requireLoopback } from './listener.js';
import { addressOf, createStreamServer, listening, type StreamOptions } from './stream-server.js';

export interface TcpOptions extends StreamOptions {
  readonly host?: string;
  /** 0: any free port. */
  readonly port: number;
}

/** Has neither encryption nor credentials: loopback alone.
 * @throws {Error} the host is not loopback, or the address is not free */
export async function listenTcp(options: TcpOptions): Promise<Listener> {
  const { host = '127.0.0.1', port } = options;
  requireLoopback('tcp', host, false);
  const { server, close } = createStreamServer(options, (socket) => ({
    wire: 'tcp',
    // Whoever runs a program on this machine reaches it.
    role: 'script',
    peer: hostPort(socket.remoteAddress ?? '', socket.remotePort ?? 0),
  }));
  await listening(server, () => server.listen({ host, port }));
  const bound = addressOf(server);
  // `localhost` is what the resolver says it is.
  try {
    requireLoopback('tcp', bound.address, false);
  } catch (error) {
    await close(0);
    throw error;
  }
  return { address: hostPort(bound.address, bound.port), close };
}
