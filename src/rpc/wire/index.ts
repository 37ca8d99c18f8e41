/** The door of this room: framings and listeners: netstring over TCP and unix sockets, HTTP, the FIFO of kamctl; and the client. */

export { CallError, callTcp, callUnix, RemoteError } from './client.js';
export { listenFifo } from './fifo.js';
export { type HttpListener, type HttpOptions, listenHttp, type TlsIdentity } from './http.js';
export { type HttpRoute, READ } from './http-route.js';
export type { Listener, WireLog } from './listener.js';
export { listenTcp } from './tcp.js';
export { listenUnix, type UnixOptions } from './unix.js';
