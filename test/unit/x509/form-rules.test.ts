/** The table "Form rules: one stance" of docs/certificates.md, each row with certificates that are made so. */

import { sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseCertificate } from '../../../src/x509/certificate/certificate.js';
import { sipIdentities } from '../../../src/x509/identity/identity.js';
import { lintCertificate } from '../../../src/x509/lint/profile.js';
import { verifyPath } from '../../../src/x509/path/path.js';
import { verifyRecord } from '../../../src/x509/path/verify-record.js';
import {
  type CertificateSpec,
  ca,
  ext,
  extension,
  type Issued,
  leaf,
  NOW,
  root,
  sharedKey,
} from '../../support/certificates.js';
import { der, tlv } from '../../support/der.js';

const page = readFileSync(join(import.meta.dirname, '../../../docs/certificates.md'), 'utf8');
const from = page.indexOf('## Form rules: one stance');
const rows = page
  .slice(from, page.indexOf('\n## ', from + 1))
  .split('\n')
  .filter((line) => line.startsWith('| '))
  .slice(1)
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .map(([, what = '', daemon = '', lint = '', verify = '', clause = '']) => ({ what, daemon, lint, verify, clause }));

/** A path, and which of its certificates is the odd one. */
interface Case {
  readonly leaf: Issued;
  readonly via: Issued;
  readonly anchor: Issued;
  readonly odd: 'leaf' | 'via' | 'anchor';
}

function path(odd: Case['odd'], spec: CertificateSpec): Case {
  const anchor = root(odd === 'anchor' ? spec : {});
  const via = ca(anchor, odd === 'via' ? spec : {});
  return { leaf: leaf(via, odd === 'leaf' ? spec : {}), via, anchor, odd };
}
const add = (...extensions: readonly Uint8Array[]): CertificateSpec => ({ add: extensions });
const replaced = (extensions: CertificateSpec['extensions']): CertificateSpec => ({ extensions: extensions ?? {} });
const constraint = (base: string, ...rest: readonly Uint8Array[]) =>
  extension('2.5.29.30', der.seq(tlv(0xa0, der.seq(tlv(0x82, der.text(base)), ...rest))), true);
const altNames = (...names: readonly string[]) => replaced({ altNames: ext.altNames(names.map((dns) => ({ dns }))) });
const generalized = (text: string) => tlv(0x18, der.text(text));

/** Signed with a salt of 20 octets under SHA-256. */
function oddSalt(): Case {
  const anchor = root();
  const via = ca(anchor, { key: sharedKey('rsa2048', 'pss') });
  const digest = der.seq(der.oid('2.16.840.1.101.3.4.2.1'), der.null());
  const mask = der.seq(der.oid('1.2.840.113549.1.1.8'), digest);
  const parameters = der.seq(tlv(0xa0, digest), tlv(0xa1, mask), tlv(0xa2, der.int(20)));
  const algorithm = der.seq(der.oid('1.2.840.113549.1.1.10'), parameters);
  let signed: Uint8Array = new Uint8Array();
  const end = leaf(via, {
    ...{ innerAlgorithm: algorithm, outerAlgorithm: algorithm },
    changeTbs: (tbs) => {
      signed = tbs;
      return tbs;
    },
    changeSignature: () =>
      new Uint8Array(sign('sha256', signed, { key: via.key.privateKey, padding: 6, saltLength: 20 })),
  });
  return { leaf: end, via, anchor, odd: 'leaf' };
}

/** 65 octets in the form of a point of P-256, and none of it. */
const offCurve = der.seq(
  der.seq(der.oid('1.2.840.10045.2.1'), der.oid('1.2.840.10045.3.1.7')),
  der.bits(Uint8Array.of(4, ...new Uint8Array(64).fill(9))),
);

const CASES: Readonly<Record<string, readonly Case[]>> = {
  'anything that is not DER': [
    path('leaf', add(ext.altNames([{ dns: 'a.example' }]))),
    path('leaf', { serial: Uint8Array.of(0, 1) }),
    path('leaf', { changeTbs: (tbs) => Uint8Array.of(0x30, 0x83, 0, ...tbs.subarray(2)) }),
  ],
  'keyUsage (or reasons': [path('leaf', replaced({ keyUsage: extension('2.5.29.15', Uint8Array.of(3, 2, 0, 0x80)) }))],
  'a DEFAULT written out': [
    path('leaf', replaced({ basicConstraints: extension('2.5.29.19', Uint8Array.of(0x30, 3, 1, 1, 0)) })),
  ],
  'RSASSA-PSS with a salt': [oddSalt()],
  'version 1 or 2': [
    path('leaf', { version: 'absent', bare: true }),
    path('leaf', { version: 1, bare: true }),
    path('anchor', { version: 'absent', bare: true }),
  ],
  'no or an incomplete authorityKeyIdentifier': [
    path('leaf', replaced({ authorityKey: undefined })),
    path('leaf', replaced({ authorityKey: ext.authorityKey(undefined) })),
    path('via', replaced({ authorityKey: undefined })),
  ],
  'an authorityKeyIdentifier of another key': [
    path('leaf', replaced({ authorityKey: ext.authorityKey(new Uint8Array(20).fill(7)) })),
  ],
  'a CA without subjectKeyIdentifier': [
    path('via', replaced({ subjectKey: undefined })),
    path('via', replaced({ keyUsage: undefined })),
  ],
  'key identifiers, AIA or freshestCRL': [
    path('leaf', replaced({ subjectKey: ext.subjectKey(new Uint8Array(20).fill(1), true) })),
    path('leaf', add(ext.authorityInfo(true))),
  ],
  'nameConstraints not critical': [path('via', add(ext.constraints({ permitted: [{ dns: 'example' }] }, false)))],
  'nameConstraints with a leading dot': [path('via', add(constraint('.example')))],
  'nameConstraints of another wrong form': [
    path('via', add(constraint('*.example'))),
    path('via', add(constraint('example', tlv(0x80, 1)))),
    path('via', add(constraint('example', tlv(0x81, 1)))),
  ],
  'policyConstraints or inhibitAnyPolicy': [
    path('via', add(ext.policyConstraints(undefined, 0, false))),
    path('via', add(ext.inhibitAnyPolicy(1, false))),
    path('via', replaced({ basicConstraints: ext.basicConstraints(true, undefined, false) })),
  ],
  'a dNSName out of preferred': [
    path('leaf', altNames('a_b.example', 'peer.example')),
    path('leaf', altNames('a..example', 'peer.example')),
    path('leaf', altNames(`${'a'.repeat(64)}.example`, 'peer.example')),
  ],
  'a subjectAltName with bytes': [
    path('leaf', altNames('own.example\0.b.example', 'peer.example')),
    path('leaf', altNames('own.example ', 'peer.example')),
  ],
  'serial number 0, negative': [
    path('leaf', { serial: Uint8Array.of(0) }),
    path('leaf', { serial: Uint8Array.of(0x81) }),
    path('leaf', { serial: new Uint8Array(21).fill(0x11) }),
  ],
  'GeneralizedTime before 2050': [path('leaf', { notAfter: generalized('20270101000000Z') })],
  'critical subjectAltName': [path('leaf', replaced({ altNames: ext.altNames([{ dns: 'peer.example' }], true) }))],
  'subjectAltName not critical': [path('leaf', { subject: '' })],
  'keyUsage keyCertSign in an end entity': [
    path('leaf', replaced({ keyUsage: ext.keyUsage(['digitalSignature', 'keyCertSign']) })),
    path('leaf', add(constraint('peer.example'))),
  ],
  'an unknown critical extension': [
    path('leaf', add(extension('1.2.3.4', der.null(), true))),
    path('via', add(extension('1.2.3.4', der.null(), true))),
    path('via', replaced({ basicConstraints: undefined })),
    path('via', replaced({ keyUsage: ext.keyUsage(['cRLSign']) })),
  ],
  'SHA-1, MD5, RSA below': [
    path('leaf', { signature: 'sha1' }),
    path('via', { signature: 'sha1' }),
    path('leaf', { key: sharedKey('rsa1024') }),
    path('leaf', { key: sharedKey('secp256k1') }),
  ],
  'a leaf whose public key is none': [path('leaf', { spki: offCurve })],
};

/** What a list says is shown in test/unit/x509/revocation. */
const OF_LISTS = /^a CRL /;

const readable = (bytes: Uint8Array): boolean => {
  try {
    parseCertificate(bytes);
    return true;
  } catch {
    return false;
  }
};

function daemon({ leaf: end, via, anchor }: Case) {
  return verifyPath({
    ...{ leaf: end.facts, intermediates: [via.facts], anchors: [anchor.facts], crls: [], at: NOW },
    ...{ purpose: 'client', names: [], revocation: 'off' },
  });
}

function strict({ leaf: end, via, anchor }: Case, purpose: 'client' | 'any'): boolean {
  const record = { leaf: end.pem, intermediates: [via.pem], anchors: [anchor.pem], purpose };
  return verifyRecord({ ...record, at: new Date(NOW).toISOString(), names: [] }).ok;
}

/** What lint says of the odd certificate and not of a plain one. */
function linted(each: Case): readonly string[] {
  const found = ({ facts }: Issued) => lintCertificate(facts, each.odd === 'leaf' ? 'tls-entity' : 'tls-ca', NOW);
  const plain = new Set(found(path('leaf', {})[each.odd]).map(({ rule }) => rule));
  return found(each[each.odd]).flatMap(({ rule, severity }) => (plain.has(rule) ? [] : [severity]));
}

describe('docs/certificates.md, form rules', () => {
  test('ok/each row about certificates has cases, and each case a row', () => {
    const own = rows.filter(({ what }) => !OF_LISTS.test(what));
    expect(own.map(({ what }) => Object.keys(CASES).filter((begin) => what.startsWith(begin)))).toEqual(
      Object.keys(CASES).map((begin) => [begin]),
    );
    for (const { clause } of rows) expect(clause).toMatch(/§/);
  });
  test('ok/a certificate with nothing odd passes all three', () => {
    const plain = path('leaf', {});
    expect([daemon(plain).ok, strict(plain, 'client'), strict(plain, 'any')]).toEqual([true, true, true]);
  });

  const cases = rows.flatMap((row) =>
    Object.entries(CASES).flatMap(([begin, list]) =>
      row.what.startsWith(begin) ? list.map((each, index) => [`${row.what} (${index + 1})`, row, each] as const) : [],
    ),
  );
  test.each(cases)('%s', (_, row, each) => {
    if (row.lint === 'cannot read it') {
      expect(readable(each[each.odd].der)).toBe(false);
      expect(strict(each, 'any')).toBe(false);
      return;
    }
    const { ok, findings } = daemon(each);
    expect(ok, findings[0]?.detail).toBe(!row.daemon.startsWith('refuse'));
    if (row.daemon.startsWith('no identity')) {
      expect(sipIdentities(each.leaf.facts, { cnFallback: false }).names).toEqual(['peer.example']);
    }
    const severity = row.lint.split(';')[0] ?? '';
    if (severity === 'not looked at') expect(linted(each)).toEqual([]);
    else expect(linted(each), `lint says ${severity}`).toContain(severity);
    const forTls = row.verify.startsWith('tolerated');
    expect(strict(each, 'client'), 'verify as a client').toBe(forTls);
    expect(strict(each, 'any'), 'verify without a role').toBe(forTls || row.verify === 'refused for TLS roles');
  });
});
