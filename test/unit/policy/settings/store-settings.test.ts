import { describe, expect, test } from 'vitest';
import { compile, compiled, said } from '../fixtures.js';

function store(url: string, ...more: readonly string[]) {
  const section = ['daemon:', '  state: {file: /var/state.db}', ...more, `  store: ${JSON.stringify(url)}`];
  return compile(`own_domains: [a.example]\n${section.join('\n')}\n`, {});
}

describe('daemon.store', () => {
  const settings = (url: string) => compiled(store(url)).settings.store;

  test('ok/several hosts, TLS by default', () => {
    expect(settings('postgres://trust@db1.example,[2001:db8::1]:5433/trust')).toEqual({
      hosts: [
        { host: 'db1.example', port: 5432 },
        { host: '2001:db8::1', port: 5433 },
      ],
      ...{ user: 'trust', database: 'trust', passwordFile: undefined, connectTimeout: 2000, queryTimeout: 2000 },
      tls: { ca: undefined, certificate: undefined, key: undefined },
    });
  });
  test('ok/this machine, without TLS: loopback and a unix socket', () => {
    expect(settings('postgres://trust@127.0.0.1/trust')?.tls).toBeUndefined();
    expect(settings('postgres://trust@127.0.0.1/trust?sslmode=verify-full')?.tls).toBeDefined();
    expect(settings('postgres://trust@/trust?host=/run/postgresql')).toMatchObject({
      hosts: [{ host: '/run/postgresql', port: 5432 }],
      tls: undefined,
    });
    expect(settings('postgres://trust@/trust?host=/run/postgresql&port=5433')?.hosts).toEqual([
      { host: '/run/postgresql', port: 5433 },
    ]);
  });
  test('ok/connect_timeout is its own', () => {
    expect(settings('postgres://trust@db.example/trust?connect_timeout=7')).toMatchObject({
      connectTimeout: 7000,
      queryTimeout: 2000,
    });
  });

  const EXPECTED =
    'expected postgres://user@host:port/database?sslmode=verify-full&sslrootcert=FILE (hosts may be several, by commas)';
  const cases: readonly (readonly [name: string, url: string, fault: string])[] = [
    ['another scheme', 'mysql://u@db/x', 'found another form (not shown: it may hold a password)'],
    ['a password', 'postgres://u:secret@db/x', 'found a password in it, which belongs in store_password_file'],
    ['nobody', 'postgres://db.example/x', 'found no user'],
    ['no host', 'postgres://u@/x', 'found the host ""'],
    ['a port that is none', 'postgres://u@db:70000/x', 'found the host "db:70000"'],
    [
      'no TLS to another host',
      'postgres://u@db.example/x?sslmode=disable',
      'found sslmode=disable, which only a database on this machine may have',
    ],
    [
      'TLS that proves nothing',
      'postgres://u@db.example/x?sslmode=require',
      'found sslmode=require, expected verify-full (or disable, for a database on this machine)',
    ],
    [
      'a parameter that libpq has and we do not',
      'postgres://u@db/x?options=-c%20x',
      'found "options", expected sslmode, sslrootcert, sslcert, sslkey, target_session_attrs, connect_timeout, host, port',
    ],
    [
      'a port beside a host, whose own it is not',
      'postgres://u@db/x?port=5433',
      'found port=5433, expected host:port, or the port of a unix socket (host=/DIRECTORY)',
    ],
    [
      'a unix socket with a port that is none',
      'postgres://u@/x?host=/run&port=0',
      'found port=0, expected host:port, or the port of a unix socket (host=/DIRECTORY)',
    ],
    ['a host twice', 'postgres://u@db/x?host=/run', 'found a host before the database and another in host'],
    ['a parameter twice', 'postgres://u@db/x?sslkey=a&sslkey=b', 'found sslkey twice'],
    [
      'a certificate without its key',
      'postgres://u@db/x?sslcert=a',
      'expected sslcert and sslkey together, found one of them',
    ],
    ['a standby', 'postgres://u@db/x?target_session_attrs=any', 'found target_session_attrs=any, expected read-write'],
    ['no time at all', 'postgres://u@db/x?connect_timeout=0', 'found connect_timeout=0, expected 1 to 60 (seconds)'],
  ];
  test.each(cases)('fail/%s', (_, url, fault) => {
    expect(said(store(url))).toEqual([`p.yaml:4:10: error: daemon.store: ${EXPECTED}: ${fault}`]);
  });

  test('fail/a bad URL is one mistake, also where the policy comes from there', () => {
    const fault = 'found another form (not shown: it may hold a password)';
    expect(said(store('nowhere', '  fleet: {policy: on}'))).toEqual([
      `p.yaml:5:10: error: daemon.store: ${EXPECTED}: ${fault}`,
    ]);
  });
  test('fail/nowhere to keep what it said last', () => {
    const result = compile('own_domains: [a.example]\ndaemon: {store: "postgres://u@db/x"}\n', {});
    expect(said(result)).toEqual([
      'p.yaml:2:17: error: daemon.store: expected daemon.state.file, which keeps what the store said last for the time that it is away, found none',
    ]);
  });
  test('fail/a node whose name cannot stand in a log', () => {
    expect(said(store('postgres://u@db/x', '  node: "a b"'))).toEqual([
      'p.yaml:4:9: error: daemon.node: expected a letter or digit, and at most 63 letters, digits, ".", "_" and "-" after it, found "a b"',
    ]);
  });
});
