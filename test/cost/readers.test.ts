/**
 * Time, not crashes: what is read of others costs no more than its length, whatever unit it is a repetition of. Text may
 * take three times what plain text of that size takes, or two microseconds a character; DER of twice the size may take three times as long (twice, and what
 * the processor's caches add), as small elements are more work an octet than large ones.
 */

import { describe, expect, it } from 'vitest';
import { activeLines, branchRoutes, scriptLines } from '../../src/ctl/doctor/kamailio-script.js';
import { opensipsRoutes } from '../../src/ctl/doctor/opensips-script.js';
import { tlsProfiles } from '../../src/ctl/doctor/tls-profiles.js';
import { ADDRESS_COLUMNS } from '../../src/ctl/import/address-rows.js';
import { readAddressFile } from '../../src/ctl/tables/address-file.js';
import { readCsv } from '../../src/ctl/tables/csv.js';
import { isDbText, readDbText } from '../../src/ctl/tables/dbtext.js';
import { isSqlDump, readSqlDump } from '../../src/ctl/tables/sql-dump.js';
import { foldByteParams } from '../../src/rpc/params/byte-params.js';
import { auditHeaderBlock } from '../../src/sip/audit/audit.js';
import { scanHeaderBlock } from '../../src/sip/grammar/header-block.js';
import { splitMessage } from '../../src/sip/grammar/message.js';
import { parseNameAddr, splitList } from '../../src/sip/grammar/name-addr.js';
import { parsePrivacy, privacyTokens } from '../../src/sip/grammar/privacy.js';
import { parseUri } from '../../src/sip/grammar/uri.js';
import { inspectBytes } from '../../src/sip/grammar/value-bytes.js';
import { CertificateCache } from '../../src/state/verdicts/certificate-cache.js';
import { anonymiseHistory } from '../../src/trust/message/diverted.js';
import { Draft } from '../../src/trust/message/draft.js';
import { refusal } from '../../src/trust/message/malformed.js';
import { parseCertificate } from '../../src/x509/certificate/certificate.js';
import { readPem, writePem } from '../../src/x509/der/pem.js';
import { referenceDomain } from '../../src/x509/identity/domain.js';
import { sipIdentities } from '../../src/x509/identity/identity.js';
import { lintCertificate } from '../../src/x509/lint/profile.js';
import { verifyRecord } from '../../src/x509/path/verify-record.js';
import { parseCrl } from '../../src/x509/revocation/crl.js';
import { parseOcspResponse } from '../../src/x509/revocation/ocsp-response.js';
import { ca, crl, ext, extension, type Issued, leaf, NOW, root, sharedKey } from '../support/certificates.js';
import { cpuTime, reaches } from '../support/cpu-time.js';
import { der, tlv } from '../support/der.js';
import { ocspDer } from '../support/ocsp.js';
import { LONG } from '../support/runs.js';
import { block } from '../unit/sip/support.js';

/** `make fuzz` asks for texts of a megabyte. */
const SIZE = LONG ? 2 ** 20 : 2 ** 15;

/** Milliseconds that are nothing for so many characters: two microseconds each, where all of them are elements of a list. */
const NOTHING = SIZE / 500;

const fill = (unit: string, size = SIZE): string => unit.repeat(Math.ceil(size / unit.length)).slice(0, size);

const quietly = (work: () => unknown): unknown => {
  try {
    return work();
  } catch (cause) {
    return cause;
  }
};

const UNITS = [
  ...['\n', '\r\n', ' ', '  x', '\t', '-', '-----', '=', '==\n', 'A\n', '%', '%41', '%0a', '\0', 'é', '\\', '"', '\\"'],
  ...['<', '>', '<>', '<?>', ',', ';', ';=', '?', '&', ':', 'sip:', 'sip:a@', 'sip:a@b;', 'a=b&', '"a" <sip:a>,', '@'],
  ...['[', '[]', '::', '1:', '1.', '.', 'a.', '*.', '(', ')', '()', 'a: b\r\n', 'a:\r\n b\r\n', ' \r\n', '\r\n \r\n '],
  ...['-----BEGIN CERTIFICATE-----\n', '-----END CERTIFICATE-----\n', '-----BEGIN ', 'xn--', 'Via: a\r\n', ';a="'],
  ...[
    '`a`',
    '"x",',
    '/**/',
    '#\n',
    '--\n',
    '(1),',
    'INSERT INTO address VALUES (1);',
    'COPY address (id) FROM stdin;\n',
  ],
  ...['branch_route[', 'branch_route[A]\n', 'route{\n', '#!ifdef A\n', '/*', '[server: '],
  ...['-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n', '{"a":', '[{', 'a\u0301', 'ﬁ.'],
] as const;

const PEM_TEXT = writePem(new Uint8Array(SIZE * 0.7).fill(7));
const pemFiller = PEM_TEXT.slice(0, SIZE);
const base64Filler = pemFiller.slice(pemFiller.indexOf('\n') + 1);

/** Readers of text, each with a plain text of the kind that it is for. */
const TEXTS: readonly (readonly [name: string, filler: string, read: (text: string) => unknown])[] = [
  ['PEM', pemFiller, (text) => readPem(text)],
  ['a block of PEM', pemFiller, (text) => readPem(`-----BEGIN CERTIFICATE-----\n${text}\n-----END CERTIFICATE-----\n`)],
  ['lists in PEM', base64Filler, (text) => readPem(`-----BEGIN X509 CRL-----\n${text}`, 'X509 CRL')],
  [
    'certificates of a question',
    fill('abcd'),
    (text) =>
      new CertificateCache({ entries: 10, octets: 1e7, idleMs: 1000 }, { hits: 0, misses: 0 }).read(
        text.slice(0, 2 ** 16 - 1),
      ),
  ],
  ['params', fill('abcd'), (text) => foldByteParams({ a: text, b_b64: text, tls: { pem: text } })],
  [
    'a header block',
    fill('Subject: a subject of some words\r\n'),
    (text) => {
      const block = scanHeaderBlock(Buffer.from(text, 'latin1'));
      return auditHeaderBlock(block);
    },
  ],
  [
    'a header value',
    fill('Subject: a subject of some words\r\n'),
    (text) => {
      const block = scanHeaderBlock(Buffer.from(`Subject: ${text}\r\n`, 'latin1'));
      return auditHeaderBlock(block);
    },
  ],
  ['a message', fill('Subject: a subject of some words\r\n'), (text) => splitMessage(Buffer.from(text, 'latin1'))],
  ['a URI', `sip:${fill('a')}@b.example`, parseUri],
  [
    'the parameters of a URI',
    `sip:a@b.example${fill(';parameter=value')}`,
    (text) => parseUri(`sip:a@b.example;${text}`),
  ],
  ['name-addrs', fill('"A" <sip:a@b.example>;x=y, '), (text) => splitList(text).map(parseNameAddr)],
  ['History-Info', fill('<sip:a@b.example>;index=1, '), (text) => anonymiseHistory(text, parsePrivacy([]), new Set())],
  ['Privacy', fill('id; header; '), privacyTokens],
  ['value bytes', fill('a subject of some words '), inspectBytes],
  [
    'a dump',
    fill("(1,1,'192.0.2.1',32,0,'b.example'),"),
    (text) => isSqlDump(text) && readSqlDump('address.sql', text, 'address', ADDRESS_COLUMNS),
  ],
  [
    'the rows of a dump',
    fill("(1,1,'192.0.2.1',32,0,'b.example'),"),
    (text) => readSqlDump('address.sql', `INSERT INTO address VALUES ${text}`, 'address', ADDRESS_COLUMNS),
  ],
  ['CSV', fill('1,192.0.2.1,32,0,b.example\n'), (text) => readCsv('a.csv', `id,ip_addr,mask,port,tag\n${text}`)],
  [
    'db_text',
    fill('1:1:192.0.2.1:32:0:b.example\n'),
    (text) => isDbText(text) || readDbText('address', `id(int,auto) ip_addr(string)\n${text}`),
  ],
  ['an address file', fill('1 192.0.2.1 32 0 b.example\n'), (text) => readAddressFile('address.list', text)],
  [
    'a kamailio.cfg',
    fill('branch_route[A] { t_relay(); }\n'),
    (text) => branchRoutes(activeLines(scriptLines('f', text))),
  ],
  ['an opensips.cfg', fill('branch_route[a] { t_relay(); }\n'), opensipsRoutes],
  ['a tls.cfg', fill('[server:any]\nca_list = a.pem\n'), tlsProfiles],
  ['a name that is asked for', fill('label.'), referenceDomain],
];

describe(`text of ${SIZE} characters costs at most three times what plain text costs`, () => {
  it.each(TEXTS)(
    'ok/%s',
    (_, filler, read) => {
      const plain = cpuTime(() => quietly(() => read(filler)));
      for (const unit of UNITS) {
        const text = fill(unit);
        const most = Math.max(3 * plain, NOTHING);
        // Once is enough for all that are quick; one that is not has that many tries.
        const found = reaches(most, () => cpuTime(() => quietly(() => read(text)), 1), 12);
        expect(found, `${JSON.stringify(unit)}: ${found} ms, plain text ${plain} ms`).toBeLessThanOrEqual(most);
      }
    },
    600_000,
  );
});

const many = <T>(count: number, make: (index: number) => T): readonly T[] =>
  Array.from({ length: count }, (_, i) => make(i));
const join = (parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));

const anchor = root();
const extended = (oid: string, value: (count: number) => Uint8Array) => (count: number) =>
  leaf(anchor, { add: [extension(oid, value(count))] }).der;
const general = (item: Uint8Array) => (count: number) => der.seq(join(many(count, () => item)));
const oidOf = (index: number) => der.oid(`1.2.3.${index}`);

/** Certificates by the number of their parts. `size`: a number that makes some 100 KiB. */
const CERTIFICATES: readonly (readonly [name: string, size: number, make: (count: number) => Uint8Array])[] = [
  ['subjectAltName of one octet', 25_000, extended('2.5.29.17', general(tlv(0x82, 0x61)))],
  ['subjectAltName, empty', 40_000, extended('2.5.29.17', general(tlv(0x82)))],
  ['sip: URIs', 8_000, extended('2.5.29.17', general(tlv(0x86, der.text('sip:a.b'))))],
  [
    'directory names',
    6_000,
    extended('2.5.29.17', general(tlv(0xa4, der.seq(der.set(der.seq(der.oid('2.5.4.3'), der.utf8('a'))))))),
  ],
  ['one long dNSName', 100_000, extended('2.5.29.17', (count) => der.seq(tlv(0x82, der.text('a.'.repeat(count / 2)))))],
  [
    'one long URI',
    100_000,
    extended('2.5.29.17', (count) => der.seq(tlv(0x86, der.text(`sip:a;${';'.repeat(count)}`)))),
  ],
  ['policies', 10_000, extended('2.5.29.32', (count) => der.seq(join(many(count, (i) => der.seq(oidOf(i))))))],
  [
    'policy mappings',
    6_000,
    extended('2.5.29.33', (count) => der.seq(join(many(count, (i) => der.seq(oidOf(i), oidOf(i)))))),
  ],
  ['purposes', 12_000, extended('2.5.29.37', (count) => der.seq(join(many(count, oidOf))))],
  ['distribution points', 20_000, extended('2.5.29.31', general(der.seq(tlv(0xa0, tlv(0xa0, tlv(0x86, 0x61))))))],
  [
    'constraints',
    12_000,
    extended('2.5.29.30', (count) => der.seq(tlv(0xa0, join(many(count, () => der.seq(tlv(0x82, 0x61))))))),
  ],
  ['extensions', 6_000, (count) => leaf(anchor, { add: many(count, (i) => extension(`1.2.3.${i}`, der.null())) }).der],
  ['relative names', 6_000, (count) => leaf(anchor, { subject: many(count, () => 'O=a').join(',') }).der],
  [
    'attributes of one relative name',
    6_000,
    (count) => leaf(anchor, { subject: many(count, (i) => `O=${i}`).join('+') }).der,
  ],
  [
    'blanks in names',
    40,
    (count) => leaf(anchor, { subject: many(count, () => `O=${' '.repeat(2_000)}a`).join(',') }).der,
  ],
  [
    'combining characters',
    40,
    (count) => leaf(anchor, { subject: many(count, () => `O=${'\u0301\u0323'.repeat(500)}`).join(',') }).der,
  ],
  ['a serial number', 100_000, (count) => leaf(anchor, { serial: new Uint8Array(count).fill(0x81) }).der],
  ['an octet in place of the certificate', 100_000, (count) => new Uint8Array(count).fill(0x30)],
];

const serialOf = (index: number) => Uint8Array.of(1, index >> 16, (index >> 8) & 255, index & 255);

const LISTS: readonly (readonly [name: string, size: number, make: (count: number) => Uint8Array])[] = [
  ['entries', 5_000, (count) => crl(anchor, { revoked: many(count, (i) => ({ serial: serialOf(i) })) }).der],
  [
    'entries with issuers',
    2_000,
    (count) =>
      crl(anchor, { scope: { indirect: true }, revoked: many(count, (i) => ({ serial: serialOf(i), issuer: 'CN=a' })) })
        .der,
  ],
  [
    'the same entry',
    10_000,
    (count) => crl(anchor, { revoked: many(count, () => ({ serial: Uint8Array.of(1) })) }).der,
  ],
  ['extensions', 4_000, (count) => crl(anchor, { add: many(count, (i) => extension(`1.2.3.${i}`, der.null())) }).der],
  [
    'a number',
    50_000,
    (count) => crl(anchor, { add: [], number: 'absent', changeSignature: () => new Uint8Array(count) }).der,
  ],
];

const RESPONSES: readonly (readonly [name: string, size: number, make: (count: number) => Uint8Array])[] = [
  [
    'entries',
    500,
    (count) =>
      ocspDer(
        many(count, () => ({ certificate: anchor, issuer: anchor })),
        { signer: anchor },
      ),
  ],
  [
    'certificates',
    150,
    (count) =>
      ocspDer([{ certificate: anchor, issuer: anchor }], { signer: anchor, certificates: many(count, () => anchor) }),
  ],
];

/** Everything that is done with a certificate that a stranger brings, but for its path. */
function lookAt(bytes: Uint8Array): unknown {
  const facts = parseCertificate(bytes);
  return [sipIdentities(facts, { cnFallback: true }), lintCertificate(facts, 'tls-entity', NOW)];
}

function growth(most: number, make: (count: number) => Uint8Array, read: (bytes: Uint8Array) => unknown): void {
  const size = LONG ? most : most / 2;
  const [half, whole] = [make(size / 2), make(size)];
  const ratio = reaches(3, () => {
    const [short, long] = [cpuTime(() => quietly(() => read(half))), cpuTime(() => quietly(() => read(whole)))];
    return long < 1 ? 0 : long / Math.max(short, 0.3);
  });
  expect(ratio).toBeLessThanOrEqual(3);
}

describe('DER of twice the size takes twice as long', () => {
  it.each(CERTIFICATES)('ok/certificate: %s', (_, size, make) => growth(size, make, lookAt), 120_000);
  it.each(LISTS)('ok/CRL: %s', (_, size, make) => growth(LONG ? 10 * size : size, make, parseCrl), 120_000);
  it.each(RESPONSES)('ok/OCSP response: %s', (_, size, make) => growth(size, make, parseOcspResponse), 120_000);
});

/** Sets of certificates by their number. The budget bounds the search; reading is what grows. */
const SETS: readonly (readonly [
  name: string,
  size: number,
  make: (count: number) => readonly [Issued, readonly Issued[]],
])[] = [
  [
    'CAs of one name',
    300,
    (count) => {
      const via = many(count, (i) => ca(anchor, { subject: 'CN=same', key: sharedKey('p256', `${i % 7}`) }));
      return [leaf(via.at(-1) as Issued), via];
    },
  ],
  [
    'CAs of no use',
    600,
    (count) => [leaf(anchor), many(count, (i) => ca(anchor, { subject: `CN=${i}`, key: sharedKey('p256') }))],
  ],
  [
    'a chain',
    400,
    (count) => {
      const via: Issued[] = [];
      for (let i = 0; i < count; i++) via.push(ca(via.at(-1) ?? anchor, { key: sharedKey('p256', `${i % 40}`) }));
      return [leaf(via.at(-1) as Issued), via];
    },
  ],
];

describe('sets of certificates', () => {
  it.each(SETS)(
    'ok/%s',
    (_, size, make) => {
      const ask = (count: number) => {
        const [end, via] = make(count);
        const record = { leaf: end.pem, intermediates: via.map(({ pem }) => pem), anchors: [anchor.pem] };
        return () => verifyRecord({ ...record, at: new Date(NOW).toISOString(), purpose: 'any' });
      };
      const [half, whole] = [ask(size / 2), ask(size)];
      const ratio = reaches(3, () => cpuTime(whole) / cpuTime(half));
      expect(ratio).toBeLessThanOrEqual(3);
    },
    120_000,
  );
});

/** What one question may hold a daemon for, in work that was counted; the clock of this machine is not asked. */
describe('the worst that a verification takes', () => {
  const altNames = (count: number) => ext.altNames(many(count, (i) => ({ dns: `${i}.peer.example` })));
  it.each([
    [
      'names under constraints',
      () => {
        const via = ca(anchor, {
          add: [ext.constraints({ excluded: many(8_000, (i) => ({ dns: `x${i}.example` })) })],
        });
        return [leaf(via, { extensions: { altNames: altNames(8_000) } }), [via]] as const;
      },
    ],
    ['names that are asked for', () => [leaf(anchor, { extensions: { altNames: altNames(8_000) } }), []] as const],
  ])(
    'ok/%s',
    (_, make) => {
      const [end, via] = make();
      const record = {
        ...{ leaf: end.pem, intermediates: via.map(({ pem }) => pem), anchors: [anchor.pem] },
        ...{ at: new Date(NOW).toISOString(), purpose: 'server', names: many(100, (i) => ({ dns: `y${i}.example` })) },
      };
      // Reading alone is the measure: judging takes a few times that, and not its square.
      const read = cpuTime(() => readPem(end.pem).map((bytes) => parseCertificate(bytes)));
      const most = 30 * read + 10;
      expect(reaches(most, () => cpuTime(() => verifyRecord(record)))).toBeLessThanOrEqual(most);
    },
    120_000,
  );
});

describe('what is done to a message', () => {
  it('ok/to drop each of many rows of one name costs little more than to read them', () => {
    const rows = block(...Array.from({ length: 30_000 }, () => 'Require: sec-agree'));
    const reading = cpuTime(() => new Draft(rows));
    const dropping = () => cpuTime(() => new Draft(rows).edit('require', () => undefined));
    expect(reaches(20, () => dropping() / reading)).toBeLessThan(20);
  });

  it('ok/to judge many problems of one long row costs no more than to find them', () => {
    const rows = block(`Subject: x${'\r\n '.repeat(20_000)}`);
    const problems = auditHeaderBlock(rows);
    const finding = cpuTime(() => auditHeaderBlock(scanHeaderBlock(Buffer.from(rows.rows[0]?.raw ?? '', 'latin1'))));
    const judging = () => cpuTime(() => refusal(problems, rows, 'tolerant', () => false));
    expect(reaches(3, () => judging() / finding)).toBeLessThan(3);
  });
});
