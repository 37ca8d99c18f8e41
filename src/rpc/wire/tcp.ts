/** JSON-RPC over netstrings on TCP: what Kamailio's janssonrpcc and jsonrpcc speak. */

import type { AddressInfo } from 'node:net';
import { hostPort, type Listener, requireLoopback } from './listener.js';
import { createStreamServer, listening, type StreamOptions } from './stream-server.js';

export interface TcpOptions extends StreamOptions {
  readonly host?: string;
  /** 0: any free port. */
  readonly port: number;
  /** Allows another host than loopback. */
  readonly allowRemote?: boolean;
}

/** @throws {Error} the host is not loopback and not allowed, or the address is not free */
export async function listenTcp(options: TcpOptions): Promise<Listener> {
  const { host = '127.0.0.1', port, allowRemote = false } = options;
  requireLoopback('tcp', host, allowRemote);
  const { server, close } = createStreamServer(options, (socket) => ({
    wire: 'tcp',
    // Whoever runs a program on this machine reaches it.
    role: 'script',
    peer: hostPort(socket.remoteAddress ?? '', socket.remotePort ?? 0),
  }));
  await listening(server, () => server.listen({ host, port }));
  const bound = server.address() as AddressInfo;
  // `localhost` is what the resolver says it is.
  try {
    requireLoopback('tcp', bound.address, allowRemote);
  } catch (error) {
    await close(0);
    throw error;
  }
  return { address: hostPort(bound.address, bound.port), close };
}
