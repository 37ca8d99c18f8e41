import { Session } from 'node:inspector';
import { describe, expect, it } from 'vitest';
import { MalformedCrl, parseCrl, parseCrlInSteps } from '../../../../src/x509/revocation/crl.js';
import { crl, NOW, type RevokedSpec, root } from '../../../support/certificates.js';
import { der, tlv } from '../../../support/der.js';

const issuer = root({ subject: 'O=A,CN=lists' });
const serial = (n: number) => der.int(n).subarray(2);
const name = issuer.facts.subjectKeys.text;

const entries = (count: number): RevokedSpec[] =>
  Array.from({ length: count }, (_, n) => ({ serial: serial(3 * n + 1), reason: n % 7 }));

/** What an object keeps to itself, as a debugger shows it. */
function privateFields(of: object): string[] {
  const session = new Session();
  session.connect();
  const found: string[] = [];
  try {
    Object.assign(globalThis, { looked: of });
    session.post('Runtime.evaluate', { expression: 'looked' }, (_, { result }) => {
      session.post('Runtime.getProperties', { objectId: result.objectId ?? '' }, (__, answer) => {
        // Not in the types of Node.
        const { privateProperties = [] } = answer as { privateProperties?: { value?: { description?: string } }[] };
        found.push(...privateProperties.map(({ value }) => value?.description ?? ''));
      });
    });
  } finally {
    Reflect.deleteProperty(globalThis, 'looked');
    session.disconnect();
  }
  return found;
}

describe('parseCrl', () => {
  it('ok/reads what a list says of itself', () => {
    const facts = parseCrl(crl(issuer, { revoked: entries(3), number: 300, base: 299, scope: { users: true } }).der);
    expect(facts).toMatchObject({
      version: 2,
      issuerText: 'CN=lists,O=A',
      thisUpdate: NOW - 86_400_000,
      nextUpdate: NOW + 7 * 86_400_000,
      entryCount: 3,
      unknownCritical: undefined,
      oddity: undefined,
      issuingDistributionPoint: { onlyContainsUserCerts: true, onlyContainsCaCerts: false, indirectCrl: false },
    });
    expect(facts.crlNumber).toEqual(serial(300));
    expect(facts.baseCrlNumber).toEqual(serial(299));
  });

  it('ok/finds each entry and nothing else', () => {
    const { entries: found } = parseCrl(crl(issuer, { revoked: entries(5000) }).der);
    for (let n = 0; n < 5000; n++) {
      expect(found.find(serial(3 * n + 1), name, name)?.revocationDate).toBe(NOW - 10 * 86_400_000);
      expect(found.find(serial(3 * n + 2), name, name)).toBeUndefined();
    }
    expect(found.find(serial(1), 'another issuer', name)).toBeUndefined();
  });

  it('ok/reads the reason of an entry', () => {
    const { entries: found } = parseCrl(
      crl(issuer, { revoked: [{ serial: serial(5), reason: 1 }, { serial: serial(6) }] }).der,
    );
    expect(found.find(serial(5), name, name)?.reason).toBe('keyCompromise');
    expect(found.find(serial(6), name, name)?.reason).toBe('unspecified');
  });

  it('fail/tells what is odd in its entries, and finds them all the same', () => {
    const odd = parseCrl(crl(issuer, { revoked: [{ serial: serial(5), reason: 7 }] }).der);
    expect(odd.oddity).toBe('a reason code of no meaning');
    expect(odd.entries.find(serial(5), name, name)?.reason).toBe('unspecified');
    const twice = parseCrl(crl(issuer, { revoked: [{ serial: serial(6) }, { serial: serial(6), reason: 1 }] }).der);
    expect(twice.oddity).toBe('a serial number twice');
    expect(twice.entries.find(serial(6), name, name)).toBeDefined();
  });

  it('ok/keeps an index of 8 octets an entry beside the DER', () => {
    const list = crl(issuer, { revoked: entries(2000) });
    const { entries: index } = parseCrl(list.der);
    const held = privateFields(index).filter((text) => /Array\(/.test(text));
    expect(held.sort()).toEqual(['Array(0)', 'Float64Array(2000)', `Uint8Array(${list.der.length})`]);
  });

  it('ok/yields between thousands of entries, so that a verdict can be given meanwhile', () => {
    const steps = [...parseCrlInSteps(crl(issuer, { revoked: entries(20_000) }).der)];
    expect(steps.length).toBeGreaterThanOrEqual(4);
  });

  const good = crl(issuer, { revoked: entries(2) }).der;
  const malformed: readonly (readonly [name: string, field: string, der: Uint8Array])[] = [
    ['no octets', 'CertificateList', new Uint8Array(0)],
    ['trailing octets', 'CertificateList', Uint8Array.from([...good, 0])],
    ['cut short', 'CertificateList', good.subarray(0, good.length - 1)],
    ['version 3', 'version', crl(issuer, { version: 2 }).der],
    [
      'a serial number of twenty thousand octets',
      'revokedCertificate',
      crl(issuer, { revoked: [{ serial: new Uint8Array(20_000).fill(1) }] }).der,
    ],
    [
      'a name of more than all entries',
      'tbsCertList',
      crl(root({ subject: Array.from({ length: 4_000 }, (_, i) => `O=operator ${i}`).join(',') })).der,
    ],
    [
      // A look-up goes through all entries of one hash.
      'a serial number three hundred times',
      'revokedCertificates',
      crl(issuer, { revoked: Array.from({ length: 300 }, () => ({ serial: serial(5) })) }).der,
    ],
    [
      'a serial number in a longer form',
      'userCertificate',
      crl(issuer, { revoked: [{ serial: Uint8Array.of(0, 5) }] }).der,
    ],
    ['a date that is none', 'thisUpdate', crl(issuer, { thisUpdate: tlv(0x17, der.text('261301000000Z')) }).der],
    ['a date with an offset', 'nextUpdate', crl(issuer, { nextUpdate: tlv(0x17, der.text('260601000000+0200')) }).der],
  ];

  it.each(malformed)('fail/%s', (_, field, bytes) => {
    let thrown: unknown;
    try {
      parseCrl(bytes);
    } catch (cause) {
      thrown = cause;
    }
    expect(thrown).toBeInstanceOf(MalformedCrl);
    expect((thrown as MalformedCrl).field).toBe(field);
  });
});
