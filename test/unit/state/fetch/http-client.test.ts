import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FetchFailure } from '../../../../src/state/fetch/fetch-failure.js';
import { fetchHttp, type HttpAnswer, type HttpLimits } from '../../../../src/state/fetch/http-client.js';
import { type Answer, HttpServer } from '../../../support/http-server.js';

let server: HttpServer;
let elsewhere: HttpServer;
beforeAll(async () => {
  [server, elsewhere] = await Promise.all([HttpServer.start(), HttpServer.start()]);
});
afterAll(() => Promise.all([server.close(), elsewhere.close()]));

const NEVER = new AbortController().signal;

function get(path: string, over: Partial<HttpLimits> = {}, headers = {}): Promise<HttpAnswer> {
  const limits = { rules: server.rules, maxSize: 1000, timeoutMs: 20_000, ...over };
  return fetchHttp({ url: server.url(path), headers }, limits, NEVER);
}

const failing = (path: string, over: Partial<HttpLimits> = {}): Promise<string> =>
  get(path, over).then(
    () => 'no failure',
    (error: unknown) => {
      expect(error).toBeInstanceOf(FetchFailure);
      return error instanceof Error ? error.message : '';
    },
  );

describe('fetchHttp', () => {
  test('ok/a body with its type and validators', async () => {
    server.on('/right', (response) => {
      response.writeHead(200, { 'Content-Type': 'application/pkix-crl', ETag: '"1"', 'Last-Modified': 'yesterday' });
      response.end('abc');
    });
    const answer = await get('/right');
    expect(Buffer.from(answer.body).toString()).toBe('abc');
    expect(answer).toMatchObject({
      status: 200,
      contentType: 'application/pkix-crl',
      etag: '"1"',
      lastModified: 'yesterday',
    });
  });
  test('ok/chunked, to the last octet that may be', async () => {
    server.on('/chunks', (response) => {
      for (let at = 0; at < 10; at++) response.write(Buffer.alloc(100, at));
      response.end();
    });
    expect((await get('/chunks')).body).toHaveLength(1000);
  });
  test('ok/304 to a question with a validator', async () => {
    server.serve('/same', Uint8Array.of(1, 2, 3));
    const { etag } = await get('/same');
    expect(await get('/same', {}, { 'If-None-Match': etag })).toMatchObject({ status: 304, body: new Uint8Array() });
  });
  test('ok/POST', async () => {
    server.on('/post', (response, request, body) => response.end(`${request.method} ${body}`));
    const limits = { rules: server.rules, maxSize: 100, timeoutMs: 20_000 };
    const question = { url: server.url('/post'), headers: {}, body: Buffer.from('x') };
    expect(Buffer.from((await fetchHttp(question, limits, NEVER)).body).toString()).toBe('POST x');
  });
  test('ok/a redirection within the list', async () => {
    server.on('/from', redirect('/right?moved'));
    server.on('/right?moved', (response) => response.end('x'));
    expect((await get('/from')).body).toHaveLength(1);
  });
  test('ok/nothing of the daemon is told but its name', async () => {
    await get('/right');
    const { headers } = server.requests.at(-1) ?? {};
    expect(Object.keys(headers ?? {}).sort()).toEqual(['accept-encoding', 'connection', 'host', 'user-agent']);
  });

  const endless: Answer = (response) => {
    response.writeHead(200);
    const more = (): void => {
      while (!response.destroyed && response.write(Buffer.alloc(65_536)));
      if (!response.destroyed) response.once('drain', more);
    };
    more();
  };
  const drip: Answer = (response) => {
    response.writeHead(200);
    const timer = setInterval(() => response.write('x'), 5);
    response.on('close', () => clearInterval(timer));
  };
  // Node hands such an answer to a listener of its own, and without one says nothing more of it.
  const SWITCHING = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\nx';
  const bad: readonly (readonly [name: string, answer: Answer, message: RegExp, over?: Partial<HttpLimits>])[] = [
    [
      'a gigabyte, announced',
      (r) => void r.writeHead(200, { 'Content-Length': '1073741824' }).write('x'),
      /at most 1000 octets/,
    ],
    ['a gigabyte, chunk by chunk', endless, /at most 1000 octets/],
    ['a drip', drip, /within 300 ms/, { timeoutMs: 300 }],
    ['silence', () => {}, /within 300 ms/, { timeoutMs: 300 }],
    ['headers and then silence', (r) => r.flushHeaders(), /within 300 ms/, { timeoutMs: 300 }],
    [
      'the end before the end',
      (r) => void r.writeHead(200, { 'Content-Length': '9' }).write('x', () => r.destroy()),
      /./,
    ],
    ['the end of a chunked body before its end', (r) => void r.writeHead(200).write('x', () => r.destroy()), /./],
    ['no answer at all', (r) => void r.destroy(), /./],
    ['another protocol', (r) => void r.socket?.write(SWITCHING), /status 200, found 101/],
    ['another protocol, and the end', (r) => void r.socket?.end(SWITCHING), /status 200, found 101/],
    ['404', (r) => void r.writeHead(404).end(), /status 200, found 404/],
    ['206', (r) => void r.writeHead(206).end('x'), /status 200, found 206/],
    ['500', (r) => void r.writeHead(500).end(), /status 200, found 500/],
    ['another encoding', (r) => void r.writeHead(200, { 'Content-Encoding': 'gzip' }).end('x'), /without encoding/],
    ['long headers', (r) => void r.writeHead(200, { 'X-A': 'x'.repeat(20_000) }).end('x'), /./],
    ['a redirection to itself', (r) => redirect('/bad')(r), /at most 3 redirections/],
    [
      'a redirection to another port',
      (r) => redirect(elsewhere.url('/'))(r),
      /redirected: host 127.0.0.1 port \d+ is not in/,
    ],
    [
      'a redirection to a listed port on loopback',
      (r) => redirect('http://localhost/')(r),
      /redirected: host localhost/,
    ],
    ['a redirection to https', (r) => redirect('https://127.0.0.1/')(r), /redirected: expected an http URL/],
    ['a redirection to a file', (r) => redirect('file:///etc/passwd')(r), /redirected: expected an http URL/],
    ['a redirection with a password', (r) => redirect(server.url('/').replace('//', '//u:p@'))(r), /without user/],
    ['a redirection to nowhere', (r) => void r.writeHead(302).end(), /expected Location/],
  ];
  for (const [name, answer, message, over] of bad) {
    test(`fail/${name}`, async () => {
      server.on('/bad', (response, request, body) => answer(response, request, body));
      expect(await failing('/bad', over)).toMatch(message);
    });
  }

  test('fail/no server', async () => {
    const gone = await HttpServer.start();
    const { rules } = gone;
    const url = gone.url('/x');
    await gone.close();
    await expect(fetchHttp({ url, headers: {} }, { rules, maxSize: 1, timeoutMs: 5000 }, NEVER)).rejects.toThrow(
      /ECONNREFUSED/,
    );
  });
  test('fail/a host that is not listed is not even connected to', async () => {
    const before = elsewhere.requests.length;
    const rules = server.rules;
    const asking = fetchHttp({ url: elsewhere.url('/x'), headers: {} }, { rules, maxSize: 1, timeoutMs: 5000 }, NEVER);
    await expect(asking).rejects.toThrow(/is not in daemon.revocation.hosts/);
    expect(elsewhere.requests).toHaveLength(before);
  });
  test('fail/a listed name that stands for loopback', async () => {
    const rules = { hosts: [{ host: 'localhost', port: server.port }], addresses: [] };
    const url = `http://localhost:${server.port}/right`;
    const asking = fetchHttp({ url, headers: {} }, { rules, maxSize: 1, timeoutMs: 5000 }, NEVER);
    await expect(asking).rejects.toThrow(/loopback address, which the policy does not list/);
  });
  test('ok/a listed name that stands for a listed address', async () => {
    const loopback = { bytes: Uint8Array.of(127, 0, 0, 0), length: 8, text: '127.0.0.0/8' };
    const rules = { hosts: [{ host: 'localhost', port: server.port }], addresses: [loopback] };
    const url = `http://localhost:${server.port}/right`;
    expect((await fetchHttp({ url, headers: {} }, { rules, maxSize: 9, timeoutMs: 5000 }, NEVER)).status).toBe(200);
  });
  test('fail/a responder that redirects a question', async () => {
    server.on('/away', redirect('/post'));
    const limits = { rules: server.rules, maxSize: 100, timeoutMs: 20_000 };
    const question = { url: server.url('/away'), headers: {}, body: Buffer.from('x') };
    await expect(fetchHttp(question, limits, NEVER)).rejects.toThrow(/found a redirection/);
  });
  test('fail/stopped meanwhile', async () => {
    const stop = new AbortController();
    server.on('/silent', () => stop.abort());
    const limits = { rules: server.rules, maxSize: 100, timeoutMs: 20_000 };
    await expect(fetchHttp({ url: server.url('/silent'), headers: {} }, limits, stop.signal)).rejects.toThrow(
      FetchFailure,
    );
    await expect(fetchHttp({ url: server.url('/right'), headers: {} }, limits, stop.signal)).rejects.toThrow(
      FetchFailure,
    );
  });
});

function redirect(location: string): (response: ServerResponse) => void {
  return (response) => void response.writeHead(302, { Location: location }).end();
}
