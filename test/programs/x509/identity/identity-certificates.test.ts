import { afterAll, describe, expect, test } from 'vitest';
import { sipIdentities } from '../../../../src/x509/identity/identity.js';
import { CertificateMaker, rawSubjectAltName } from '../../../support/openssl-certificate.js';

const maker = new CertificateMaker();
afterAll(() => maker.close());

const DNS = 2;
const URI = 6;
const EMAIL = 1;
const IP = 7;
const raw = (...names: readonly (readonly [number, string | number[]])[]): string =>
  rawSubjectAltName(
    names.map(([tag, value]) => [
      tag,
      typeof value === 'string' ? Buffer.from(value, 'latin1') : Uint8Array.from(value),
    ]),
  );

interface Case {
  readonly name: string;
  readonly subject?: string;
  readonly san?: string;
  readonly cnFallback?: boolean;
  readonly kind: 'uri' | 'dns' | 'cn' | 'none';
  readonly names: readonly string[];
}

const none = { kind: 'none', names: [] } as const;

/** The names that a certificate of openssl yields, through the parser. */
const CASES: readonly Case[] = [
  { name: 'T-26', san: 'subjectAltName=URI:sip:peer.example,DNS:other.example', kind: 'uri', names: ['peer.example'] },
  {
    name: 'T-27',
    san: 'subjectAltName=URI:sip:alice@peer.example,DNS:peer.example',
    kind: 'dns',
    names: ['peer.example'],
  },
  { name: 'T-28', san: 'subjectAltName=URI:sips:peer.example', ...none },
  { name: 'T-29', san: raw([URI, 'SIP:Peer.EXAMPLE:5061;transport=tls']), kind: 'uri', names: ['peer.example'] },
  { name: 'T-24', san: 'subjectAltName=DNS:*.peer.example', ...none },
  {
    name: 'T-30',
    subject: '/CN=peer.example',
    san: 'subjectAltName=email:sip@peer.example',
    cnFallback: true,
    ...none,
  },
  { name: 'T-31 on', subject: '/CN=peer.example', cnFallback: true, kind: 'cn', names: ['peer.example'] },
  { name: 'T-31 off', subject: '/CN=peer.example', ...none },
  { name: 'T-32 NUL in a dNSName', san: raw([DNS, 'peer.example\0.evil.example']), ...none },
  { name: 'T-32 NUL in a URI', san: raw([URI, 'sip:peer.example\0.evil.example']), ...none },
  { name: 'T-33', san: raw([DNS, 'a.example, DNS:peer.example']), ...none },
  { name: 'T-34', subject: '/CN=a.example/CN=peer.example', cnFallback: true, ...none },
  { name: 'T-35 UTF-8 in a dNSName', san: raw([DNS, 'peer.e\xe2\x84\xaaample']), ...none },
  { name: 'T-36', san: 'subjectAltName=IP:192.0.2.1', ...none },
  {
    name: 'a good name among bad ones',
    san: raw([EMAIL, 'a@b.example'], [IP, [192, 0, 2, 1]], [DNS, '\0'], [DNS, 'B.example']),
    kind: 'dns',
    names: ['b.example'],
  },
  {
    name: 'many names',
    san: `subjectAltName=${Array.from({ length: 200 }, (_, at) => `DNS:n${at}.example`).join(',')}`,
    kind: 'dns',
    names: Array.from({ length: 200 }, (_, at) => `n${at}.example`),
  },
];

describe('sipIdentities of real certificates', () => {
  for (const { name, subject = '/O=Operator B', san, cnFallback = false, kind, names } of CASES) {
    test(`${kind === 'none' ? 'fail' : 'ok'}/${name}`, () => {
      const facts = maker.make({ subject, extensions: san === undefined ? [] : [san] });
      expect(sipIdentities(facts, { cnFallback })).toMatchObject({ kind, names });
    });
  }
});
