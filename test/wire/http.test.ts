import { Agent, request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type HttpOptions, listenHttp } from '../../src/rpc/wire/http.js';
import { pacedDispatch, requestText } from '../support/rpc-methods.js';
import { type HttpAnswer, http, portOf } from '../support/wires.js';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function open(options: Partial<HttpOptions> = {}) {
  const paced = pacedDispatch();
  const callerOf = () => ({ role: 'script' }) as const;
  const listener = await listenHttp({ dispatch: paced.dispatch, port: 0, callerOf, ...options });
  cleanups.push(() => listener.close(0));
  return { ...paced, listener, port: portOf(listener.address) };
}

/** Sends bytes as they are, and gathers what comes back until the end. */
function raw(port: number, bytes: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    cleanups.push(() => socket.destroy());
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(text));
    socket.write(bytes);
  });
}

const FORM = 'application/x-www-form-urlencoded';
const PING = requestText('ping');
const PONG = '{"jsonrpc":"2.0","id":1,"result":"pong"}';

describe('/rpc', () => {
  test.each<[string, string]>([
    ['JSON', 'application/json'],
    ['charset', 'application/json; charset=utf-8'],
    ['charset in quotes and capitals', 'Application/JSON;Charset="UTF-8"'],
    ['what jsonrpclib of Python and jsonrpc4j say', 'application/json-rpc'],
    ['what JSON-RPC over HTTP allows besides', 'application/jsonrequest; charset=utf-8'],
  ])('ok/%s', async (_, type) => {
    const { port } = await open();
    const answer = await http(port, { headers: { 'Content-Type': type }, body: PING });
    expect(answer).toMatchObject({ status: 200, text: PONG, headers: { 'content-type': 'application/json' } });
  });

  // RFC 9112 §3.2.2: as clients of a proxy write it, and then Host does not count.
  test.each<[string, string, Record<string, string>]>([
    ['an address', 'http://127.0.0.1/rpc', {}],
    ['capitals and a port', 'HTTP://LocalHost:7061/rpc?x=1', {}],
    ['a Host of another name', 'http://localhost/rpc', { Host: 'evil.example' }],
    ['Expect: 100-continue', 'http://localhost/rpc', { Expect: '100-continue' }],
  ])('ok/a whole URL as target: %s', async (_, path, headers) => {
    const { port } = await open();
    expect(await http(port, { path, headers, body: PING })).toMatchObject({ status: 200, text: PONG });
  });

  const POST = 'POST /rpc HTTP/1.0\r\nContent-Type: application/json\r\n';
  // RFC 9112 §3.2 asks for a Host from HTTP/1.1 on. HAProxy's `option httpchk GET /health` sends none, as HTTP/1.0.
  test.each<[string, string, string]>([
    ['a health check', 'GET /health HTTP/1.0\r\n\r\n', '200 OK'],
    ['one that names HTTP/1.1', 'GET /health HTTP/1.1\r\n\r\n', '400 Bad Request'],
    ['another host in the target', 'GET http://evil.example/health HTTP/1.0\r\n\r\n', '421 Misdirected Request'],
    ['an address in the target', 'GET http://127.0.0.1/health HTTP/1.0\r\n\r\n', '200 OK'],
    ['chunks', `${POST}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, '501 Not Implemented'],
    ['a web page', `${POST}Origin: http://undefined\r\nContent-Length: 0\r\n\r\n`, '403 Forbidden'],
    ['a web page of no host', `${POST}Origin: http://\r\nContent-Length: 0\r\n\r\n`, '403 Forbidden'],
  ])('no Host: %s', async (_, request, status) => {
    const { port } = await open();
    expect(await raw(port, request)).toMatch(new RegExp(`^HTTP/1\\.1 ${status}\r\n`));
  });

  test('ok/a question in one line is answered in one line', async () => {
    const { port } = await open();
    const headers = { 'Content-Type': 'application/vnd.siptrust.line' };
    // (These methods have no line.)
    const answer = await http(port, { headers, body: 'ping' });
    expect(answer).toMatchObject({
      status: 200,
      text: 'error;-32603',
      headers: { 'content-type': headers['Content-Type'] },
    });
  });

  test.each<[string, number, Parameters<typeof http>[1], Record<string, string>]>([
    ['GET', 405, { method: 'GET' }, { allow: 'POST' }],
    ['PUT', 405, { method: 'PUT', body: PING }, { allow: 'POST' }],
    ['another path', 404, { path: '/', body: PING }, {}],
    ['a path below', 404, { path: '/rpc/x', body: PING }, {}],
    ['POST to /health', 405, { path: '/health', body: PING }, { allow: 'GET, HEAD' }],
    ['no content type', 415, { headers: { 'Content-Type': '' }, body: PING }, {}],
    ['what a form of a web page can send: text', 415, { headers: { 'Content-Type': 'text/plain' }, body: PING }, {}],
    ['what curl -d says', 415, { headers: { 'Content-Type': FORM }, body: PING }, {}],
    ['JSON with more behind it', 415, { headers: { 'Content-Type': 'application/json, text/plain' }, body: PING }, {}],
    ['XML', 415, { headers: { 'Content-Type': 'text/xml' }, body: PING }, {}],
    ['a form with parts', 415, { headers: { 'Content-Type': 'multipart/form-data; boundary=x' }, body: PING }, {}],
    ['UTF-16', 415, { headers: { 'Content-Type': 'application/json; charset=utf-16' }, body: PING }, {}],
    ['gzip', 415, { headers: { 'Content-Encoding': 'gzip' }, body: PING }, {}],
    ['gzip below the chunks', 501, { headers: { 'Transfer-Encoding': 'gzip, chunked' }, body: PING }, {}],
    ['a web page', 403, { headers: { Origin: 'http://evil.example' }, body: PING }, {}],
    ['a web page of no origin', 403, { headers: { Origin: 'null' }, body: PING }, {}],
    ['a page of another port of ours', 403, { headers: { Origin: 'http://127.0.0.1:1' }, body: PING }, {}],
    ['a name of somebody else (DNS rebinding)', 421, { headers: { Host: 'evil.example' }, body: PING }, {}],
    ['the same for /health', 421, { path: '/health', method: 'GET', headers: { Host: 'evil.example:7061' } }, {}],
    ['a name that looks like an address', 421, { headers: { Host: '127.0.0.1.evil.example' }, body: PING }, {}],
    ['an address that is none', 421, { headers: { Host: '127.1' }, body: PING }, {}],
    ['a whole URL of another path', 404, { path: 'http://127.0.0.1/nothing', body: PING }, {}],
    ['a whole URL of another host', 421, { path: 'http://evil.example/rpc', body: PING }, {}],
    ['a whole URL with a user name', 421, { path: 'http://127.0.0.1@evil.example/rpc', body: PING }, {}],
    [
      'a whole URL, from a web page of another host',
      403,
      { path: 'http://localhost/rpc', headers: { Origin: 'http://127.0.0.1' }, body: PING },
      {},
    ],
    ['a navigation', 403, { headers: { 'Sec-Fetch-Site': 'cross-site' }, body: PING }, {}],
  ])('fail/%s: %i', async (_, status, request, headers) => {
    const { port, calls } = await open();
    const answer = await http(port, request);
    expect(answer).toMatchObject({ status, headers: { connection: 'close', ...headers } });
    expect(JSON.parse(answer.text)).toEqual({ error: expect.stringMatching(/^expected .*found ./) });
    expect(calls()).toBe(0);
  });

  test.each<[string, string]>([
    ['empty', ''],
    ['no JSON', 'method=ping'],
  ])('fail/%s body is a parse error of JSON-RPC', async (_, body) => {
    const { port } = await open();
    expect(await http(port, { body })).toMatchObject({ status: 200, text: expect.stringContaining('-32700') });
  });

  test('ok/1 MiB, fail/one byte more, by length and by chunks', async () => {
    const { port } = await open();
    const frame = requestText('echo', 1, ['']);
    const body = frame.replace('""', `"${'a'.repeat(1024 * 1024 - frame.length)}"`);
    expect((await http(port, { body })).status).toBe(200);
    const chunked = { 'Transfer-Encoding': 'chunked' };
    expect((await http(port, { headers: chunked, body })).status).toBe(200);
    for (const headers of [chunked, { 'Content-Length': String(body.length + 1) }, { Expect: '100-continue' }]) {
      expect(await http(port, { headers, body: `${body} ` })).toMatchObject({
        status: 413,
        headers: { connection: 'close' },
        text: expect.stringContaining('at most 1048576 bytes'),
      });
    }
  });

  test('ok/a body in chunks of one octet is put together as it comes, not kept in as many pieces', async () => {
    const { port } = await open();
    const concat = vi.spyOn(Buffer, 'concat');
    cleanups.push(() => concat.mockRestore());
    const chunks = [...requestText('echo', 1, ['a'.repeat(40_000)])].map((octet) => `1\r\n${octet}\r\n`).join('');
    const head = 'Host: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n';
    const answer = await raw(port, `POST /rpc HTTP/1.1\r\n${head}Transfer-Encoding: chunked\r\n\r\n${chunks}0\r\n\r\n`);
    expect(answer).toContain('a'.repeat(40_000));
    const pieces = concat.mock.calls.map(([parts]) => parts.length);
    expect(pieces.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(40_000);
    expect(Math.max(...pieces)).toBeLessThanOrEqual(16_384);
  });

  test('fail/a body without end is cut off', async () => {
    const { port } = await open();
    const socket = connect({ port, host: '127.0.0.1' });
    cleanups.push(() => socket.destroy());
    socket.on('error', () => {});
    socket.resume();
    socket.write(
      'POST /rpc HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n',
    );
    const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
    const send = (): void => {
      while (socket.writable && socket.write(chunk));
    };
    socket.on('drain', send);
    send();
    await new Promise((resolve) => socket.once('close', resolve));
  });

  test('ok/Expect: 100-continue', async () => {
    const { port } = await open();
    expect(await http(port, { headers: { Expect: '100-continue' }, body: PING })).toMatchObject({
      status: 200,
      text: PONG,
    });
  });

  test('ok/one connection for many requests', async () => {
    const { port } = await open();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    cleanups.push(() => agent.destroy());
    const ports = new Set<number | undefined>();
    const headers = { 'Content-Type': 'application/json' };
    for (let round = 0; round < 3; round += 1) {
      await new Promise<void>((resolve, reject) => {
        const request = httpRequest(
          { host: '127.0.0.1', port, path: '/rpc', method: 'POST', agent, headers },
          (response) => {
            ports.add(request.socket?.localPort);
            response.resume().on('end', resolve);
          },
        );
        request.on('error', reject);
        request.end(PING);
      });
    }
    expect(ports.size).toBe(1);
  });

  test('ok/a client that hangs up before its answer', async () => {
    const { port, called, release } = await open();
    const socket = connect({ port, host: '127.0.0.1' });
    const body = requestText('hold');
    socket.write(
      `POST /rpc HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    await called(1);
    socket.resetAndDestroy();
    await http(port, { body: PING });
    release();
    expect((await http(port, { body: PING })).status).toBe(200);
  });
});

describe('slow clients', () => {
  const timeouts = { headersMs: 100, requestMs: 200, checkMs: 20 };

  test.each<[string, string]>([
    ['header block', 'POST /rpc HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n'],
    ['body', 'POST /rpc HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{'],
    [
      'body of a refused request',
      'POST /nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{',
    ],
  ])('fail/the %s does not come', async (_, bytes) => {
    const { port } = await open({ timeouts });
    expect(await raw(port, bytes)).toMatch(/^HTTP\/1\.1 408 /);
  });

  test('fail/no HTTP', async () => {
    const { port } = await open();
    expect(await raw(port, '68:{"jsonrpc":"2.0"},\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
  });
});

describe('/health', () => {
  const get = (port: number, path: string, method = 'GET'): Promise<HttpAnswer> => http(port, { path, method });

  test('ok/alive', async () => {
    const { port } = await open();
    expect(await get(port, '/health')).toMatchObject({ status: 200, text: '{"alive":true}' });
    expect(await get(port, '/health?probe=1')).toMatchObject({ status: 200 });
    expect(await get(port, '/health', 'HEAD')).toMatchObject({ status: 200, text: '' });
  });
});

describe('what one reader takes for one request, and another for two', () => {
  const POST = 'POST /rpc HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n';
  const smuggled = `${POST}Content-Length: ${PING.length}\r\n\r\n${PING}`;
  test.each<[string, string]>([
    ['two lengths', `${POST}Content-Length: 4\r\nContent-Length: ${PING.length}\r\n\r\n${PING}`],
    ['two lengths in one', `${POST}Content-Length: ${PING.length}, 4\r\n\r\n${PING}`],
    ['the same length twice', `${POST}Content-Length: ${PING.length}\r\nContent-Length: ${PING.length}\r\n\r\n${PING}`],
    ['a length with a sign', `${POST}Content-Length: +${PING.length}\r\n\r\n${PING}`],
    ['a length and chunks', `${POST}Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`],
    ['chunks that are no chunks', `${POST}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${smuggled}`],
    ['chunks twice', `${POST}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n${smuggled}`],
    ['a blank before the colon', `${POST}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n${smuggled}`],
    ['a folded field', `${POST}Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n${smuggled}`],
    ['a bare line feed', `${POST}X: y\nContent-Length: 0\r\n\r\n${smuggled}`],
    ['a NUL in a field', `${POST}X: \0\r\nContent-Length: 0\r\n\r\n${smuggled}`],
    ['two hosts', `${POST}Host: evil.example\r\nContent-Length: ${PING.length}\r\n\r\n${PING}`],
    ['two media types', `${POST}Content-Type: text/plain\r\nContent-Length: ${PING.length}\r\n\r\n${PING}`],
    ['two credentials', `${POST}Authorization: a\r\nAuthorization: b\r\nContent-Length: 2\r\n\r\n{}`],
    ['no host', `POST /rpc HTTP/1.0\r\nContent-Length: ${PING.length}\r\n\r\n${PING}`],
    ['8 KiB of fields', `${POST}X: ${'x'.repeat(8 * 1024)}\r\nContent-Length: 2\r\n\r\n{}`],
    ['a tunnel', 'CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: localhost\r\n\r\n'],
  ])('fail/%s: nothing is asked, and the connection ends', async (_, bytes) => {
    const { port, calls } = await open();
    expect(await raw(port, bytes)).toMatch(/^(?:HTTP\/1\.1 4[0-9][0-9] |$)/);
    expect(calls()).toBe(0);
  });
});

describe('many connections', () => {
  test('ok/1,000 that say nothing keep nobody out, nor do 1,000 that never finish their request', async () => {
    const events: string[] = [];
    const { port } = await open({
      bounds: { connections: 64, perSource: 32 },
      log: (event) => void events.push(event),
    });
    const proxy = new Agent({ keepAlive: true, maxSockets: 1 });
    cleanups.push(() => proxy.destroy());
    const ask = (): Promise<unknown> =>
      new Promise((resolve, reject) => {
        const headers = { 'Content-Type': 'application/json' };
        const options = { host: '127.0.0.1', port, path: '/rpc', method: 'POST', agent: proxy, headers };
        const request = httpRequest(options, (response) => {
          response.resume().on('end', () => resolve(request.socket?.localPort));
        });
        request.on('error', reject);
        request.end(PING);
      });
    const first = await ask();
    for (const bytes of ['', 'POST /rpc HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{']) {
      for (let count = 0; count < 1000; count += 1) {
        const socket = connect({ port, host: '127.0.0.1' });
        cleanups.push(() => socket.destroy());
        socket.on('error', () => {});
        await new Promise((resolve) => socket.once('connect', resolve));
        socket.write(bytes);
      }
      // The connection that has asked before is the one that stays.
      expect(await ask()).toBe(first);
      expect((await http(port, { body: PING })).status).toBe(200);
    }
    expect(events).toEqual(['too-many-connections']);
  });
});

describe('closing', () => {
  test('ok/what is in flight is answered; idle and silent connections do not hold it up', async () => {
    const { port, listener, called, release } = await open();
    const agent = new Agent({ keepAlive: true });
    cleanups.push(() => agent.destroy());
    await new Promise((resolve) => {
      httpRequest({ host: '127.0.0.1', port, path: '/health', agent }, (response) =>
        response.resume().on('end', resolve),
      ).end();
    });
    const silent = connect({ port, host: '127.0.0.1' });
    await new Promise((resolve) => silent.once('connect', resolve));
    const busy = http(port, { body: requestText('hold') });
    await called(1);
    const closed = listener.close(20_000);
    release();
    expect(await busy).toMatchObject({ status: 200, headers: { connection: 'close' } });
    await closed;
    await expect(http(port, { body: PING })).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  test('ok/what takes longer than the grace is dropped', async () => {
    const { port, listener, called } = await open();
    const busy = http(port, { body: requestText('hold') });
    await called(1);
    const dropped = expect(busy).rejects.toMatchObject({ code: 'ECONNRESET' });
    await listener.close(30);
    await dropped;
  });
});

test('fail/an address that is not loopback', async () => {
  await expect(open({ host: '0.0.0.0' })).rejects.toThrow('expected a loopback address');
  await open({ host: '0.0.0.0', allowRemote: true });
});
