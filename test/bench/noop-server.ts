/**
 * The yardstick of rpc.ts: netstrings on TCP, the JSON of each request parsed, a constant answer of a given size.
 * It is written apart from src/, so that a slow parser there shows. Usage: noop-server.ts ANSWER_BYTES; prints its port.
 */

import { type AddressInfo, createServer } from 'node:net';

const answerBytes = Number(process.argv[2] ?? 60);

/** The answer to one request, as long as told. */
function answer(id: number): string {
  const text = `{"jsonrpc":"2.0","id":${id},"result":""}`;
  const filler = Math.max(0, answerBytes - text.length);
  return `{"jsonrpc":"2.0","id":${id},"result":"${'x'.repeat(filler)}"}`;
}

const server = createServer({ noDelay: true }, (socket) => {
  let rest: Buffer = Buffer.alloc(0);
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    const data = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let output = '';
    let at = 0;
    for (;;) {
      const colon = data.indexOf(0x3a, at);
      if (colon === -1) break;
      const length = Number(data.toString('latin1', at, colon));
      const end = colon + 1 + length;
      if (end >= data.length) break;
      const request = JSON.parse(data.toString('utf8', colon + 1, end)) as { id: number };
      const text = answer(request.id);
      output += `${text.length}:${text},`;
      at = end + 1;
    }
    rest = data.subarray(at);
    if (output !== '') socket.write(output);
  });
});

server.listen(0, '127.0.0.1', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`));
