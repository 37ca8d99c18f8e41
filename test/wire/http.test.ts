import { Agent, request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { type HttpOptions, listenHttp } from '../../src/rpc/wire/http.js';
import { pacedDispatch, requestText } from '../support/rpc-methods.js';
import { type HttpAnswer, http, portOf } from '../support/wires.js';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function open(options: Partial<HttpOptions> = {}) {
  const paced = pacedDispatch();
  const readiness = () => ({ ready: true, reasons: [] });
  const listener = await listenHttp({ dispatch: paced.dispatch, port: 0, readiness, ...options });
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

const PING = requestText('ping');
const PONG = '{"jsonrpc":"2.0","id":1,"result":"pong"}';

describe('/rpc', () => {
  test.each<[string, string | undefined]>([
    ['no content type', undefined],
    ['JSON', 'application/json'],
    ['charset', 'application/json; charset=utf-8'],
    ['charset in quotes and capitals', 'Application/JSON;Charset="UTF-8"'],
    ['JSON-RPC over HTTP', 'application/json-rpc'],
    ['JSON-RPC over HTTP, the older one', 'application/jsonrequest'],
    ['as curl -d and http_client say it', 'application/x-www-form-urlencoded'],
    ['text', 'text/plain'],
  ])('ok/%s', async (_, type) => {
    const { port } = await open();
    const answer = await http(port, { headers: type === undefined ? {} : { 'Content-Type': type }, body: PING });
    expect(answer).toMatchObject({ status: 200, text: PONG, headers: { 'content-type': 'application/json' } });
  });

  test.each<[string, number, Parameters<typeof http>[1], Record<string, string>]>([
    ['GET', 405, { method: 'GET' }, { allow: 'POST' }],
    ['PUT', 405, { method: 'PUT', body: PING }, { allow: 'POST' }],
    ['another path', 404, { path: '/', body: PING }, {}],
    ['a path below', 404, { path: '/rpc/x', body: PING }, {}],
    ['POST to /health', 405, { path: '/health', body: PING }, { allow: 'GET, HEAD' }],
    ['XML', 415, { headers: { 'Content-Type': 'text/xml' }, body: PING }, {}],
    ['a form with parts', 415, { headers: { 'Content-Type': 'multipart/form-data; boundary=x' }, body: PING }, {}],
    ['UTF-16', 415, { headers: { 'Content-Type': 'application/json; charset=utf-16' }, body: PING }, {}],
    ['gzip', 415, { headers: { 'Content-Encoding': 'gzip' }, body: PING }, {}],
    ['a web page', 403, { headers: { Origin: 'http://evil.example' }, body: PING }, {}],
    ['a web page of no origin', 403, { headers: { Origin: 'null' }, body: PING }, {}],
    ['a navigation', 403, { headers: { 'Sec-Fetch-Site': 'cross-site' }, body: PING }, {}],
  ])('fail/%s: %i', async (_, status, request, headers) => {
    const { port, calls } = await open();
    const answer = await http(port, request);
    expect(answer).toMatchObject({ status, headers: { connection: 'close', ...headers } });
    expect(JSON.parse(answer.text)).toEqual({ error: expect.stringMatching(/^expected .*found /) });
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

  test('fail/a body without end is cut off', async () => {
    const { port } = await open();
    const socket = connect({ port, host: '127.0.0.1' });
    cleanups.push(() => socket.destroy());
    socket.on('error', () => {});
    socket.resume();
    socket.write('POST /rpc HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n');
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
    for (let round = 0; round < 3; round += 1) {
      await new Promise<void>((resolve, reject) => {
        const request = httpRequest({ host: '127.0.0.1', port, path: '/rpc', method: 'POST', agent }, (response) => {
          ports.add(request.socket?.localPort);
          response.resume().on('end', resolve);
        });
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
    socket.write(`POST /rpc HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
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
    ['header block', 'POST /rpc HTTP/1.1\r\nHost: x\r\n'],
    ['body', 'POST /rpc HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{'],
    ['body of a refused request', 'POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{'],
  ])('fail/the %s does not come', async (_, bytes) => {
    const { port } = await open({ timeouts });
    expect(await raw(port, bytes)).toMatch(/^HTTP\/1\.1 408 /);
  });

  test('fail/no HTTP', async () => {
    const { port } = await open();
    expect(await raw(port, '68:{"jsonrpc":"2.0"},\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
  });
});

describe('/health and /ready', () => {
  const get = (port: number, path: string, method = 'GET'): Promise<HttpAnswer> => http(port, { path, method });

  test('ok/alive', async () => {
    const { port } = await open();
    expect(await get(port, '/health')).toMatchObject({ status: 200, text: '{"alive":true}' });
    expect(await get(port, '/health?probe=1')).toMatchObject({ status: 200 });
    expect(await get(port, '/health', 'HEAD')).toMatchObject({ status: 200, text: '' });
  });

  test('ok/ready, fail/not ready and why', async () => {
    let reasons: string[] = [];
    const { port } = await open({ readiness: () => ({ ready: reasons.length === 0, reasons }) });
    expect(await get(port, '/ready')).toMatchObject({ status: 200, text: '{"ready":true,"reasons":[]}' });
    reasons = ['no policy is loaded'];
    expect(await get(port, '/ready')).toMatchObject({
      status: 503,
      text: '{"ready":false,"reasons":["no policy is loaded"]}',
    });
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
