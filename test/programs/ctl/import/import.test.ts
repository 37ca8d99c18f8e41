/** `siptrustctl import`: what it writes is a policy that the checks take, and what it leaves out it says. */

import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { parse } from 'yaml';
import { PARTNER_COLUMNS, partnerAgreements } from '../../../../src/ctl/import/partner-rows.js';
import { settle } from '../../../../src/ctl/import/settle.js';
import { readCsv } from '../../../../src/ctl/tables/index.js';
import { loadPolicy } from '../../../../src/policy/loading/loader.js';
import { siptrustctl } from '../../../support/command-line.js';
import { tlsWords } from '../../../support/evidence.js';

const DUMPS = join(import.meta.dirname, '../../../unit/ctl/tables/dumps');
const root = mkdtempSync(join(tmpdir(), 'siptrust-import-'));
let made = 0;
let directory = root;
const file = (name: string) => join(directory, name);
beforeEach(() => {
  directory = join(root, String(++made));
  mkdirSync(directory);
});
afterAll(() => rmSync(root, { recursive: true }));

/** The policy of a file, which has to be good. */
function policy(path: string) {
  const loaded = loadPolicy(path, 1, Date.now());
  if (!loaded.ok) throw new Error(loaded.problems.join('\n'));
  return { agreements: [...loaded.snapshot.agreements] };
}

async function imported(...args: readonly string[]) {
  const { code, output, error } = await siptrustctl(['--json', 'import', ...args]);
  return { code, error, report: output === '' ? undefined : JSON.parse(output) };
}

const za = ['--interface', 'za', '--listen', '10.0.0.1:5062'];

describe('import address', () => {
  test('ok/a dump: one agreement a partner, monitored; every row that is left out has a reason', async () => {
    const { code, report } = await imported('address', join(DUMPS, 'mariadb.sql'), ...za, '--out', file('za.yaml'));
    expect(code).toBe(1);
    expect(report).toMatchObject({ rows: 6, agreements: 2, left_out: 3, files: 1 });
    expect(
      policy(file('za.yaml')).agreements.map(({ name, domains, enforcement, sources }) => [
        ...[name, domains, enforcement],
        Array.from(sources, ({ text }) => text),
      ]),
    ).toEqual([
      ['b.example', ['b.example'], 'monitor', ['192.0.2.1/32', '192.0.2.16/28']],
      ['d.example', ['d.example'], 'monitor', ['2001:db8::1/128']],
    ]);
    expect(report.findings).toEqual([
      ...[
        expect.objectContaining({
          subject: '198.51.100.1',
          outcome: 'left out',
          text: expect.stringMatching(/^source port 5060: .*--any-port/),
        }),
      ],
      ...[
        expect.objectContaining({
          subject: 'sbc.e.example',
          text: expect.stringMatching(/siptrust resolves no sources/),
        }),
      ],
      ...[
        expect.objectContaining({
          subject: '203.0.113.1',
          text: expect.stringMatching(/names FILE: .* \/ ,it's a \\ tag,NAME,DOMAIN/),
        }),
      ],
    ]);
  });

  test('ok/a dump with all rows in one line, as mysqldump writes it: each row that is left out is told and counted', async () => {
    const rows =
      "(1,1,'192.0.2.0',28,0,'b.example'),(2,1,'198.51.100.7',32,5060,'c.example'),(3,2,'203.0.113.9',0,0,NULL)";
    writeFileSync(file('one-line.sql'), `INSERT INTO \`address\` VALUES ${rows};\n`);
    const { report } = await imported('address', file('one-line.sql'), ...za, '--out', file('za.yaml'));
    expect(report).toMatchObject({ rows: 3, agreements: 1, left_out: 2 });
    expect(report.findings.map(({ from }: { from: string }) => from)).toEqual(['line 1, row 2', 'line 1, row 3']);
  });

  test('ok/--names and --any-port carry over what was left out', async () => {
    writeFileSync(
      file('names.csv'),
      'grp,tag,name,domains\n4,,op-x,x.example www.x.example\n,c.example,op-c,c.example\n',
    );
    const more = ['--names', file('names.csv'), '--any-port', '--out', file('za.yaml')];
    const { report } = await imported('address', join(DUMPS, 'postgres-copy.sql'), ...za, ...more);
    expect(report).toMatchObject({ agreements: 4, left_out: 1 });
    expect(policy(file('za.yaml')).agreements.map(({ name }) => name)).toEqual([
      'b.example',
      'op-c',
      'd.example',
      'op-x',
    ]);
  });

  const rows: readonly (readonly [name: string, row: string, text: RegExp])[] = [
    ['a mask beyond the address', '192.0.2.1,33,0,x.example', /expected a mask of 0 to 32 bits, found 33/],
    ['a mask that is no number', '192.0.2.1,abc,0,x.example', /expected a mask/],
    [
      'an IPv6 host with the default mask',
      '2001:db8::1,32,0,x.example',
      /mask 32, the default of the column, makes 2001:db8::\/32/,
    ],
    ['no address', ',32,0,x.example', /expected an address in ip_addr, found none/],
    ['an address of another partner', '192.0.2.9,32,0,other.example', /192\.0\.2\.9 stands for b\.example already/],
  ];
  test.each(rows)('fail/%s', async (_, row, text) => {
    writeFileSync(file('a.csv'), `ip_addr,mask,port,tag\n192.0.2.9,32,0,b.example\n${row}\n`);
    const { code, report } = await imported('address', file('a.csv'), ...za, '--out', file('za.yaml'));
    expect(code).toBe(1);
    expect(report.findings).toContainEqual(
      expect.objectContaining({ from: 'line 3', outcome: 'left out', text: expect.stringMatching(text) }),
    );
    expect(policy(file('za.yaml')).agreements).toHaveLength(1);
  });
  test('ok/bits behind the mask: Kamailio looks at the network', async () => {
    writeFileSync(file('a.csv'), 'ip_addr,mask,tag\n192.0.2.17,28,b.example\n');
    const { code, report } = await imported('address', file('a.csv'), ...za, '--out', file('za.yaml'));
    expect(code).toBe(0);
    expect(report.findings[0]).toMatchObject({
      outcome: 'changed',
      text: expect.stringMatching(/the network is 192\.0\.2\.16\/28/),
    });
  });
  test('fail/nothing is overwritten without --force', async () => {
    writeFileSync(file('za.yaml'), 'mine');
    const args = ['address', join(DUMPS, 'sqlite.sql'), ...za, '--out', file('za.yaml')];
    expect(await imported(...args)).toMatchObject({
      code: 2,
      error: expect.stringMatching(/za\.yaml: .*nothing is overwritten/),
    });
    expect(readFileSync(file('za.yaml'), 'utf8')).toBe('mine');
    expect(await imported(...args, '--dry-run')).toMatchObject({ code: 1, report: { files: 0 } });
    expect(readFileSync(file('za.yaml'), 'utf8')).toBe('mine');
    expect(await imported(...args, '--force')).toMatchObject({ code: 1 });
    expect(policy(file('za.yaml')).agreements).toHaveLength(2);
  });
  test('ok/into a directory, one file each; the text says what to do next', async () => {
    mkdirSync(file('agreements'));
    const { output } = await siptrustctl([
      'import',
      'address',
      join(DUMPS, 'sqlite.sql'),
      '--interface',
      'za',
      '--out',
      file('agreements'),
    ]);
    expect(readdirSync(file('agreements'))).toEqual(['b.example.yaml', 'd.example.yaml']);
    expect(output).toContain(`include: [${file('agreements')}/*.yaml]`);
    expect(output).toContain('interfaces: [{name: za, listen: "ADDRESS:PORT", mechanism: nds-ip}]');
    writeFileSync(
      file('siptrust.yaml'),
      'own_domains: [a.example]\ninclude: agreements/*.yaml\ninterfaces: [{name: za, listen: "10.0.0.1:5062", mechanism: nds-ip}]\n',
    );
    expect(policy(file('siptrust.yaml')).agreements).toHaveLength(2);
  });
  test('fail/an agreement of several rows that the checks refuse: each row counts', async () => {
    writeFileSync(
      file('a.csv'),
      'grp,ip_addr,mask,port,tag\n1,192.0.2.1,32,0,\n2,192.0.2.2,32,0,\n2,192.0.2.3,32,0,\n',
    );
    writeFileSync(file('names.csv'), 'grp,tag,name,domains\n1,,op-b,b.example\n2,,op-b-2,b.example\n');
    const args = ['address', file('a.csv'), ...za, '--names', file('names.csv'), '--out', file('o.yaml')];
    expect(await imported(...args)).toMatchObject({ code: 1, report: { rows: 3, agreements: 1, left_out: 2 } });
  });
  test('fail/no interface is named: an address says nothing elsewhere', async () => {
    await expect(siptrustctl(['import', 'address', join(DUMPS, 'sqlite.sql'), '--out', 'x'])).rejects.toThrow(
      /--interface/,
    );
  });
  test('fail/no rows, a file that is none, one that is no text', async () => {
    writeFileSync(file('other.sql'), '-- MySQL dump\nINSERT INTO `trusted` VALUES (1);\n');
    writeFileSync(file('binary'), Uint8Array.of(0xff, 0xfe, 0));
    for (const [name, says] of [
      ['other.sql', /expected rows of the table address, found none/],
      ['none', /no such file/],
      ['binary', /expected UTF-8 text/],
    ] as const) {
      expect(await imported('address', file(name), ...za, '--out', file('o.yaml'))).toMatchObject({
        code: 2,
        error: expect.stringMatching(says),
      });
    }
    expect(existsSync(file('o.yaml'))).toBe(false);
  });
});

describe('import partners', () => {
  test('ok/every column arrives as the key of a policy', async () => {
    authority(directory, 'ca');
    writeFileSync(
      file('partners.csv'),
      [
        'name,domains,anchors,from,until,asserts_numbers,transit,revocation,targets,directions,mechanism,sources',
        'Op B,b.example www.b.example,ca.pem,2026-01-01,2099-12-31,+4930;+4940,no,soft,192.0.2.7:5061,in;out,,',
        'op-c,c.example,,,,any,,,,,nds-ip,192.0.2.0/28',
        'op-d,not a domain!,ca.pem,,,,,,,,,',
        'op-e,e.example,none.pem,,,,,,,,,',
        'op-f,b.example,ca.pem,,,,,,,,,',
        'op-g,g.example,ca.pem,,,,perhaps,,,,,',
        '',
      ].join('\n'),
    );
    mkdirSync(file('out'));
    const args = [
      'partners',
      file('partners.csv'),
      '--interface',
      'za',
      '--listen',
      '10.0.0.1:5062',
      '--out',
      file('out/p.yaml'),
    ];
    const { code, report } = await imported(...args);
    expect(code).toBe(1);
    expect(policy(file('out/p.yaml')).agreements).toMatchObject([
      {
        ...{ name: 'Op-B', domains: ['b.example', 'www.b.example'], mechanism: 'tls', enforcement: 'monitor' },
        ...{ asserts: { numbers: ['+4930', '+4940'], transit: false }, revocation: 'soft', directions: ['in', 'out'] },
        targets: [{ address: '192.0.2.7', port: 5061 }],
      },
      { name: 'op-c', mechanism: 'nds-ip', interface: 'za' },
    ]);
    for (const [line, text] of [
      ['line 4', /expected a domain name, .*found "domain!"/],
      ['line 5', /none\.pem: no such file/],
      ['line 6', /b\.example is claimed by agreement Op-B already, at line 2$/],
      ['line 7', /^transit: expected true or false/],
    ]) {
      expect(report.findings).toContainEqual(
        expect.objectContaining({ from: line, outcome: 'left out', text: expect.stringMatching(text ?? '') }),
      );
    }
    expect(report.left_out).toBe(4);
  });
  test('ok/none of the columns is lost on the way into the file', async () => {
    authority(directory, 'ca');
    const values: Readonly<Record<string, string>> = {
      ...{ domains: 'b.example', server_names: 'sbc.b.example', wildcard_names: 'pstn.b.example', mechanism: 'tls' },
      ...{ anchors: 'ca.pem', intermediates: 'ca.pem', pins: `sha256/${'A'.repeat(43)}=`, interconnect: 'enterprise' },
      ...{ directions: 'in', from: '2026-01-01', until: '2099-12-31', asserts_domains: 'b.example', transit: 'no' },
      ...{
        asserts_numbers: '+4930',
        asserts_hosts: '192.0.2.7',
        privacy: 'rfc3325',
        revocation: 'soft',
        eku: 'either',
      },
      ...{ stack_verification: 'advisory', cn_fallback: 'yes', require_tls: 'yes', targets: '192.0.2.7:5061' },
    };
    // A list needs a file, `pin` a certificate, and the last two are of the other mechanism.
    const others = ['crls', 'pin', 'interface', 'sources'];
    expect([...Object.keys(values), ...others].sort()).toEqual(PARTNER_COLUMNS.map(({ column }) => column).sort());
    writeFileSync(file('p.csv'), `${Object.keys(values).join(',')}\n${Object.values(values).join(',')}\n`);
    const { code, report } = await imported('partners', file('p.csv'), '--out', file('p.yaml'));
    expect(code, JSON.stringify(report.findings)).toBe(0);
    const { agreements } = parse(readFileSync(file('p.yaml'), 'utf8'));
    for (const { column, key } of PARTNER_COLUMNS) {
      if (others.includes(column)) continue;
      const [outer, inner] = key;
      const value = inner === undefined ? agreements[0][outer] : agreements[0][outer][inner];
      const written = { yes: true, no: false }[values[column] ?? ''] ?? values[column];
      expect([value].flat(), column).toEqual([written]);
    }
  });
  test('fail/thousands of rows are no good: all are told of in one round of the checks, people see the first', async () => {
    const rows = Array.from(
      { length: 2500 },
      (_, at) => `op-${at},op-${at - (at % 2)}.example,nds-ip,za,10.0.${at >> 8}.${at & 255}`,
    );
    writeFileSync(file('many.csv'), ['name,domains,mechanism,interface,sources', ...rows, ''].join('\n'));
    const table = readCsv(file('many.csv'), readFileSync(file('many.csv'), 'utf8'));
    const { candidates } = partnerAgreements(table, { base: directory, into: directory });
    const rounds: string[] = [];
    const writing = { interface: { name: 'za', listen: '10.0.0.1:5062' } };
    const breathe = async (doing: string) => void rounds.push(doing);
    const settled = await settle(candidates, writing, { path: file('p.yaml'), files: {} }, Date.now(), breathe);
    expect(rounds).toHaveLength(2);
    expect(settled.candidates).toHaveLength(1250);
    expect(settled.findings.at(-1)).toMatchObject({
      from: 'line 2501',
      text: 'domains[0]: op-2498.example is claimed by agreement op-2498 already, at line 2500',
    });
    const { output } = await siptrustctl(['import', 'partners', file('many.csv'), ...za, '--out', file('p.yaml')]);
    expect(output.split('\n').slice(200, 205)).toEqual([
      expect.stringMatching(/^line 401 /),
      'and 1050 more (--json)',
      '',
      '1250 agreements of 2500 rows, 1250 rows left out',
      expect.stringMatching(/^written to /),
    ]);
  });
  test('fail/an unknown column is told', async () => {
    writeFileSync(file('p.csv'), 'name,domains,colour\nb,b.example,red\n');
    const { report } = await imported('partners', file('p.csv'), '--out', file('p.yaml'));
    expect(report.findings[0]).toMatchObject({
      subject: 'colour',
      text: expect.stringMatching(/^the column is unknown; known are name, domains/),
    });
  });
  test('ok/docs/moving-in.md lists the columns', () => {
    const docs = readFileSync(join(import.meta.dirname, '../../../../docs/moving-in.md'), 'utf8');
    for (const { column } of PARTNER_COLUMNS) expect(docs).toContain(`| \`${column}\` |`);
  });
});

/** A CA by openssl, and what it issues. */
function authority(where: string, name: string): void {
  openssl(
    where,
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '3650'],
    ...['-subj', `/O=Operator/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.pem`],
    ...['-addext', 'keyUsage=critical,keyCertSign,cRLSign'],
  );
}

function openssl(where: string, ...args: readonly string[]): void {
  execFileSync('openssl', args, { cwd: where, stdio: 'pipe' });
}

function issued(where: string, by: string, name: string, extensions: readonly string[]): void {
  writeFileSync(join(where, `${name}.ext`), ['authorityKeyIdentifier=keyid', ...extensions, ''].join('\n'));
  openssl(
    where,
    ...['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', `/O=Partner/CN=${name}`],
    ...['-keyout', `${name}.key`, '-out', `${name}.csr`],
  );
  openssl(
    where,
    ...[
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      '-CA',
      `${by}.pem`,
      '-CAkey',
      `${by}.key`,
      '-CAcreateserial',
      '-days',
      '365',
    ],
    ...['-extfile', `${name}.ext`, '-out', `${name}.pem`],
  );
}

describe('import certificates', () => {
  const pki = join(root, 'pki');
  const folder = () => file('partners');
  beforeAll(() => {
    mkdirSync(pki);
    authority(pki, 'root');
    issued(pki, 'root', 'middle', ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign,cRLSign']);
    issued(pki, 'middle', 'b', ['subjectAltName=DNS:b.example,DNS:www.b.example']);
    issued(pki, 'middle', 'b2', ['subjectAltName=DNS:b.example']);
    issued(pki, 'root', 'wild', ['subjectAltName=DNS:*.w.example']);
    authority(pki, 'gone');
    issued(pki, 'gone', 'lost', [
      'subjectAltName=DNS:lost.example',
      'authorityInfoAccess=caIssuers;URI:http://ca.example/gone.cer',
    ]);
    openssl(
      pki,
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '365'],
      ...[
        '-subj',
        '/CN=self.example',
        '-addext',
        'subjectAltName=DNS:self.example',
        '-keyout',
        'self.key',
        '-out',
        'self.pem',
      ],
    );
  });
  const take = (...names: readonly string[]) => {
    mkdirSync(folder());
    for (const name of names) copyFileSync(join(pki, name), join(folder(), name));
  };

  test('ok/one agreement a partner: domains, anchor, intermediate, pins as a proposal', async () => {
    take('root.pem', 'middle.pem', 'b.pem', 'b2.pem');
    const { code, report } = await imported('certificates', folder(), '--out', file('p.yaml'));
    expect({ code, report }).toMatchObject({ code: 0, report: { agreements: 1, files: 3, findings: [] } });
    const [agreement] = policy(file('p.yaml')).agreements;
    expect(agreement).toMatchObject({
      name: 'b.example',
      domains: ['b.example', 'www.b.example'],
      enforcement: 'monitor',
      pins: [],
    });
    expect(agreement?.anchors.server.map(({ subjectText }) => subjectText)).toEqual(['CN=root,O=Operator']);
    expect(agreement?.intermediates.map(({ subjectText }) => subjectText)).toEqual(['CN=middle,O=Partner']);
    expect(readFileSync(file('p.yaml'), 'utf8')).toMatch(/ {4}# pins: \["sha256\/[^"]+", "sha256\/[^"]+"\]/);
  });
  test('ok/what was written would trust the partner, were it not for monitor', async () => {
    take('root.pem', 'middle.pem', 'b.pem');
    await imported('certificates', folder(), '--out', file('p.yaml'));
    writeFileSync(
      file('p.yaml'),
      readFileSync(file('p.yaml'), 'utf8').replace('enforcement: monitor', 'enforcement: enforce'),
    );
    const pem = readFileSync(join(pki, 'b.pem'), 'utf8');
    const tls = tlsWords(pem);
    const { output } = await siptrustctl(
      ['peer', '--config', file('p.yaml')],
      JSON.stringify({ direction: 'in', proto: 'tls', src_ip: '192.0.2.1', tls }),
    );
    expect(JSON.parse(output)).toMatchObject({ verdict: 'trusted', agreement: 'b.example' });
  });
  test('ok/a self-signed certificate is pinned', async () => {
    take('self.pem');
    expect(await imported('certificates', folder(), '--out', file('p.yaml'))).toMatchObject({
      report: { agreements: 1, files: 1 },
    });
    expect(policy(file('p.yaml')).agreements[0]).toMatchObject({
      pinLeaf: true,
      stackVerification: 'advisory',
      pins: [expect.anything()],
    });
  });
  test('ok/one that names its domain in the common name alone is pinned too, unless it is the CA of another', async () => {
    mkdirSync(folder());
    authority(folder(), 'ca.own.example');
    authority(folder(), 'old.example');
    issued(folder(), 'ca.own.example', 'c', ['subjectAltName=DNS:c.example']);
    for (const name of readdirSync(folder())) if (!name.endsWith('.pem')) rmSync(join(folder(), name));
    const { report } = await imported('certificates', folder(), '--out', file('p.yaml'));
    expect(report).toMatchObject({ agreements: 2, left_out: 0 });
    expect(policy(file('p.yaml')).agreements).toMatchObject([
      { name: 'c.example', pinLeaf: false },
      { name: 'old.example', pinLeaf: true, cnFallback: true, pins: [expect.anything()] },
    ]);
  });
  test('ok/CAs of a bundle', async () => {
    take('b.pem', 'middle.pem');
    writeFileSync(
      file('bundle.pem'),
      readFileSync(join(pki, 'gone.pem'), 'utf8') + readFileSync(join(pki, 'root.pem'), 'utf8'),
    );
    const args = ['certificates', folder(), '--authorities', file('bundle.pem'), '--out', file('p.yaml')];
    expect(await imported(...args)).toMatchObject({ code: 0, report: { agreements: 1, findings: [] } });
  });
  test('fail/what cannot be carried over has a reason, and the others are carried over', async () => {
    take('root.pem', 'middle.pem', 'b.pem', 'wild.pem', 'lost.pem', 'lost.key');
    const { code, report } = await imported('certificates', folder(), '--out', file('p.yaml'));
    expect({ code, agreements: report.agreements }).toEqual({ code: 1, agreements: 1 });
    expect(report.findings).toEqual([
      expect.objectContaining({ from: 'lost.key', text: expect.stringMatching(/this is a private key/) }),
      expect.objectContaining({
        from: 'lost.pem',
        text: expect.stringMatching(/expected the CA CN=gone.*http:\/\/ca\.example\/gone\.cer/),
      }),
      expect.objectContaining({
        from: 'wild.pem',
        text: expect.stringMatching(/^names no SIP domain .*a wildcard names no one domain \(.*wildcard_names/),
      }),
    ]);
  });
  test.each([
    ['rsa1024', 'expected an RSA key of 2048 bits or more, found 1024', ['-newkey', 'rsa:1024']],
    ['p224', 'expected curve P-256, P-384 or P-521, found', ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-224']],
    [
      'mail',
      'where it calls: CN=mail.example: the peer acts as TLS client: expected extendedKeyUsage clientAuth, found emailProtection',
      ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-addext', 'extendedKeyUsage=emailProtection'],
    ],
  ])('fail/a certificate that no agreement trusts is told: %s', async (name, text, args) => {
    mkdirSync(folder());
    openssl(
      folder(),
      ...['req', '-x509', ...args, '-nodes', '-subj', `/CN=${name}.example`, '-keyout', file('key')],
      ...['-addext', `subjectAltName=DNS:${name}.example`, '-out', `${name}.pem`],
    );
    const { report } = await imported('certificates', folder(), '--out', file('p.yaml'));
    const told = report.findings.map(({ text: each }: { text: string }) => each).join('\n');
    expect(told).toContain('would not be trusted');
    expect(told).toContain(text);
  });
  test('fail/a certificate that has ended, under a CA', async () => {
    take('root.pem', 'middle.pem', 'b.pem');
    const later = vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 20 * 365 * 86_400_000);
    const { report } = await imported('certificates', folder(), '--out', file('p.yaml'));
    later.mockRestore();
    expect(report.findings).toContainEqual(
      expect.objectContaining({
        from: 'b.pem',
        text: expect.stringMatching(/^would not be trusted: .*expected a time/),
      }),
    );
  });
  test('fail/what is no file of an end: a FIFO, a device', async () => {
    take('root.pem', 'middle.pem', 'b.pem');
    execFileSync('mkfifo', [join(folder(), 'fifo.pem')]);
    symlinkSync('/dev/zero', join(folder(), 'zero.der'));
    const { report } = await imported('certificates', folder(), '--out', file('p.yaml'));
    expect(report).toMatchObject({ agreements: 1, left_out: 2 });
    expect(report.findings).toMatchObject([
      { from: 'fifo.pem', text: 'expected a regular file, found a FIFO' },
      { from: 'zero.der', text: 'expected a regular file, found a device' },
    ]);
    const table = await imported('address', join(folder(), 'fifo.pem'), '--interface', 'za', '--out', file('a.yaml'));
    expect(table).toMatchObject({ code: 2, error: expect.stringMatching(/expected a regular file/) });
  });
  test('fail/a root that is not there: the agreement warns of the next renewal', async () => {
    take('middle.pem', 'b.pem');
    const { report } = await imported('certificates', folder(), '--out', file('p.yaml'));
    expect(report.findings).toEqual([
      expect.objectContaining({ outcome: 'look', text: expect.stringMatching(/the anchor is CN=middle/) }),
    ]);
  });
});
