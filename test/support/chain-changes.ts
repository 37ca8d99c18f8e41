/** What the chains of chain-generator.ts differ in: by name, the places where each change is tried, and the change. */

import { DerReader } from '../../src/x509/der/der.js';
import { type CertificateSpec, DAY, ext, extension, makeGeneralName, NOW, sharedKey } from './certificates.js';
import { der, tlv } from './der.js';
import type { Random } from './random.js';

/** Where in the chain a change is made. */
export type Place = 'root' | 'ca' | 'leaf';

const flip = (octets: Uint8Array): Uint8Array =>
  octets.map((octet, i) => (i === octets.length - 1 ? octet ^ 1 : octet));
export const UNKNOWN_CRITICAL = extension('1.3.6.1.4.1.55738.666.1', der.null(), true);
const OTHER_ALGORITHM = der.seq(der.oid('1.2.840.10045.4.3.3'));

/** Changes of one certificate: the places where each is tried. */
export const CHANGES: Readonly<
  Record<string, readonly [places: readonly Place[], change: (random: Random) => CertificateSpec]>
> = {
  expired: [['root', 'ca', 'leaf'], () => ({ notAfter: NOW - DAY })],
  'not yet valid': [['root', 'ca', 'leaf'], () => ({ notBefore: NOW + DAY })],
  'signature changed': [['ca', 'leaf'], () => ({ changeSignature: flip })],
  'signed by another key': [['ca', 'leaf'], () => ({ signer: sharedKey('p256', 'stranger') })],
  'no basicConstraints': [['root', 'ca'], () => ({ extensions: { basicConstraints: undefined } })],
  'cA false': [['root', 'ca', 'leaf'], () => ({ extensions: { basicConstraints: ext.basicConstraints(false) } })],
  'cA true': [['leaf'], () => ({ extensions: { basicConstraints: ext.basicConstraints(true) } })],
  'basicConstraints not critical': [
    ['root', 'ca'],
    () => ({ extensions: { basicConstraints: ext.basicConstraints(true, undefined, false) } }),
  ],
  'path length': [
    ['root', 'ca'],
    (r) => ({ extensions: { basicConstraints: ext.basicConstraints(true, r.below(3)) } }),
  ],
  'path length without cA': [['leaf'], () => ({ extensions: { basicConstraints: ext.basicConstraints(false, 0) } })],
  'no keyCertSign': [
    ['root', 'ca'],
    () => ({ extensions: { keyUsage: ext.keyUsage(['digitalSignature', 'cRLSign']) } }),
  ],
  'no keyUsage of a CA': [['root', 'ca'], () => ({ extensions: { keyUsage: undefined } })],
  'no keyUsage of the leaf': [['leaf'], () => ({ extensions: { keyUsage: undefined } })],
  'keyCertSign of the leaf': [
    ['leaf'],
    () => ({ extensions: { keyUsage: ext.keyUsage(['digitalSignature', 'keyCertSign']) } }),
  ],
  'keyEncipherment only': [['leaf'], () => ({ extensions: { keyUsage: ext.keyUsage(['keyEncipherment']) } })],
  'serverAuth only': [['leaf'], () => ({ extensions: { purposes: ext.purposes(['serverAuth']) } })],
  'clientAuth only': [['leaf'], () => ({ extensions: { purposes: ext.purposes(['clientAuth']) } })],
  'sipDomain only': [['leaf'], () => ({ extensions: { purposes: ext.purposes(['sipDomain']) } })],
  'any purpose only': [['leaf'], () => ({ extensions: { purposes: ext.purposes(['any']) } })],
  'no extendedKeyUsage': [['leaf'], () => ({ extensions: { purposes: undefined } })],
  'CA for serverAuth': [['root', 'ca'], () => ({ extensions: { purposes: ext.purposes(['serverAuth']) } })],
  'CA for codeSigning': [['root', 'ca'], () => ({ extensions: { purposes: ext.purposes(['codeSigning']) } })],
  'CA for any purpose': [['root', 'ca'], () => ({ extensions: { purposes: ext.purposes(['any']) } })],
  'unknown critical extension': [['root', 'ca', 'leaf'], () => ({ add: [UNKNOWN_CRITICAL] })],
  'unknown extension': [['root', 'ca', 'leaf'], () => ({ add: [extension('1.3.6.1.4.1.55738.666.1', der.null())] })],
  'no authorityKeyIdentifier': [['ca', 'leaf'], () => ({ extensions: { authorityKey: undefined } })],
  'another authorityKeyIdentifier': [
    ['ca', 'leaf'],
    () => ({ extensions: { authorityKey: ext.authorityKey(sharedKey('p256', 'stranger').identifier) } }),
  ],
  'no subjectKeyIdentifier': [['root', 'ca', 'leaf'], () => ({ extensions: { subjectKey: undefined } })],
  'critical authorityInfoAccess': [['leaf'], () => ({ add: [ext.authorityInfo(true)] })],
  'empty subjectAltName': [['leaf'], () => ({ extensions: { altNames: ext.altNames([]) } })],
  'critical subjectAltName': [
    ['leaf'],
    () => ({ extensions: { altNames: ext.altNames([{ dns: 'peer.example' }], true) } }),
  ],
  'empty subject': [['leaf'], () => ({ subject: '' })],
  'empty subject of a CA': [['ca'], () => ({ subject: '' })],
  'empty subject, critical subjectAltName': [
    ['leaf'],
    () => ({ subject: '', extensions: { altNames: ext.altNames([{ dns: 'peer.example' }], true) } }),
  ],
  'no subjectAltName': [['leaf'], () => ({ extensions: { altNames: undefined } })],
  'sip URI': [
    ['leaf'],
    () => ({ extensions: { altNames: ext.altNames([{ uri: 'sip:peer.example' }, { dns: 'peer.example' }]) } }),
  ],
  'extension twice': [['leaf', 'ca'], () => ({ add: [ext.subjectKey(Uint8Array.of(1, 2, 3))] })],
  'serial number 0': [['leaf', 'ca'], () => ({ serial: 0n })],
  'negative serial number': [['leaf', 'ca'], () => ({ serial: -5n })],
  'long serial number': [['leaf', 'ca'], () => ({ serial: 1n << 175n })],
  'version 1': [['leaf', 'ca'], () => ({ version: 'absent', bare: true })],
  'GeneralizedTime before 2050': [['leaf', 'ca'], () => ({ notAfter: der.generalizedTime(new Date(NOW + DAY)) })],
  'other algorithm outside': [['leaf', 'ca'], () => ({ outerAlgorithm: OTHER_ALGORITHM })],
  'RSA 1024': [['leaf', 'ca', 'root'], () => ({ key: sharedKey('rsa1024') })],
  'RSA 2048': [['leaf', 'ca', 'root'], () => ({ key: sharedKey('rsa2048') })],
  'P-384': [['leaf', 'ca', 'root'], () => ({ key: sharedKey('p384') })],
  Ed25519: [['leaf', 'ca', 'root'], () => ({ key: sharedKey('ed25519') })],
  'SHA-1': [['leaf', 'ca'], () => ({ signature: 'sha1' })],
  'permitted DNS, inside': [['root', 'ca'], () => ({ add: [ext.constraints({ permitted: [{ dns: 'example' }] })] })],
  'permitted DNS, outside': [['root', 'ca'], () => ({ add: [ext.constraints({ permitted: [{ dns: 'a.example' }] })] })],
  'permitted DNS with a leading dot': [
    ['root', 'ca'],
    () => ({ add: [ext.constraints({ permitted: [{ dns: '.example' }] })] }),
  ],
  'excluded DNS': [['root', 'ca'], () => ({ add: [ext.constraints({ excluded: [{ dns: 'peer.example' }] })] })],
  'excluded DNS of another': [
    ['root', 'ca'],
    () => ({ add: [ext.constraints({ excluded: [{ dns: 'xpeer.example' }] })] }),
  ],
  'permitted URI': [['root', 'ca'], () => ({ add: [ext.constraints({ permitted: [{ uri: '.example' }] })] })],
  'permitted address': [
    ['root', 'ca'],
    () => ({ add: [ext.constraints({ permitted: [{ ip: [192, 0, 2, 0, 255, 255, 255, 0] }] })] }),
  ],
  'permitted directory, inside': [
    ['root', 'ca'],
    () => ({ add: [ext.constraints({ permitted: [{ directory: 'O=EXAMPLE' }] })] }),
  ],
  'permitted directory, outside': [
    ['root', 'ca'],
    () => ({ add: [ext.constraints({ permitted: [{ directory: 'O=Elsewhere' }] })] }),
  ],
  'address inside': [
    ['leaf'],
    () => ({ extensions: { altNames: ext.altNames([{ dns: 'peer.example' }, { ip: [192, 0, 2, 7] }]) } }),
  ],
  'address outside': [
    ['leaf'],
    () => ({ extensions: { altNames: ext.altNames([{ dns: 'peer.example' }, { ip: [192, 0, 3, 7] }]) } }),
  ],
  'nameConstraints in the leaf': [['leaf'], () => ({ add: [ext.constraints({ permitted: [{ dns: 'example' }] })] })],
  'empty nameConstraints': [['ca'], () => ({ add: [ext.constraints({})] })],
  'explicit policy required': [['root', 'ca'], () => ({ add: [ext.policyConstraints(0)] })],
  'a policy': [['ca', 'leaf'], () => ({ add: [ext.policies(['1.2.3.4'])] })],
  'name in other letters': [['ca', 'leaf'], () => ({ issuer: 'other letters' })],
  'SHA-384': [['ca', 'leaf'], () => ({ signature: 'sha384' })],
  'a key on secp256k1': [['leaf'], () => ({ key: sharedKey('secp256k1') })],
  'P-521': [['leaf', 'ca', 'root'], () => ({ key: sharedKey('p521') })],
  Ed448: [['leaf'], () => ({ key: sharedKey('ed448') })],
  'even RSA modulus size': [['leaf'], () => ({ key: sharedKey('rsa2052') })],
  'critical authorityKeyIdentifier': [
    ['leaf'],
    () => ({ extensions: { authorityKey: ext.authorityKey(sharedKey('p256', 'stranger').identifier, true) } }),
  ],
  'authorityKeyIdentifier without keyIdentifier': [
    ['ca', 'leaf'],
    () => ({ extensions: { authorityKey: ext.authorityKey(undefined) } }),
  ],
  'authorityCertSerialNumber of another': [
    ['ca', 'leaf'],
    () => ({
      extensions: {
        authorityKey: ext.authorityKey(undefined, false, [
          tlv(0xa1, makeGeneralName({ directory: 'CN=nobody' })),
          tlv(0x82, 5),
        ]),
      },
    }),
  ],
  'critical subjectKeyIdentifier': [
    ['leaf', 'ca'],
    () => ({ extensions: { subjectKey: ext.subjectKey(Uint8Array.of(1, 2, 3), true) } }),
  ],
  'empty subjectKeyIdentifier': [['leaf'], () => ({ extensions: { subjectKey: ext.subjectKey(new Uint8Array(0)) } })],
  'permitted mailbox, inside': [
    ['root', 'ca'],
    () => ({ add: [ext.constraints({ permitted: [{ email: 'a.example' }] })] }),
  ],
  'permitted mailbox, outside': [
    ['root', 'ca'],
    () => ({ add: [ext.constraints({ permitted: [{ email: 'b.example' }] })] }),
  ],
  'excluded mailboxes below a domain': [
    ['root', 'ca'],
    () => ({ add: [ext.constraints({ excluded: [{ email: '.example' }] })] }),
  ],
  'a mailbox': [
    ['leaf', 'ca'],
    () => ({ extensions: { altNames: ext.altNames([{ dns: 'peer.example' }, { email: 'noc@a.example' }]) } }),
  ],
  'a mailbox in the subject': [['leaf'], () => ({ subject: 'O=Example,emailAddress=noc@a.example' })],
  'an http URI inside': [
    ['leaf'],
    () => ({ extensions: { altNames: ext.altNames([{ dns: 'peer.example' }, { uri: 'http://www.example/x' }]) } }),
  ],
  'an http URI outside': [
    ['leaf'],
    () => ({ extensions: { altNames: ext.altNames([{ dns: 'peer.example' }, { uri: 'http://www.test/x' }]) } }),
  ],
  'excluded URI': [['root', 'ca'], () => ({ add: [ext.constraints({ excluded: [{ uri: 'www.test' }] })] })],
  'permitted IPv6': [
    ['root', 'ca'],
    () => ({
      add: [
        ext.constraints({
          permitted: [{ ip: Uint8Array.from({ length: 32 }, (_, i) => (i < 2 ? 0x20 : i >= 16 && i < 20 ? 255 : 0)) }],
        }),
      ],
    }),
  ],
  'excluded address': [
    ['root', 'ca'],
    () => ({ add: [ext.constraints({ excluded: [{ ip: [192, 0, 2, 0, 255, 255, 255, 0] }] })] }),
  ],
  'excluded directory': [
    ['root', 'ca'],
    () => ({ add: [ext.constraints({ excluded: [{ directory: 'O=EXAMPLE' }] })] }),
  ],
  'excluded directory of another': [
    ['root', 'ca'],
    () => ({ add: [ext.constraints({ excluded: [{ directory: 'O=Exampl' }] })] }),
  ],
  'a constraint of an unsupported kind': [
    ['root', 'ca'],
    () => ({ add: [ext.constraints({ permitted: [{ rid: '1.2.3' }] })] }),
  ],
  'a registeredID': [
    ['leaf'],
    () => ({ extensions: { altNames: ext.altNames([{ dns: 'peer.example' }, { rid: '1.2.3.4' }]) } }),
  ],
  'a wildcard': [['leaf'], () => ({ extensions: { altNames: ext.altNames([{ dns: '*.example' }]) } })],
  'a wildcard below': [['leaf'], () => ({ extensions: { altNames: ext.altNames([{ dns: '*.peer.example' }]) } })],
  'part of a label as a wildcard': [
    ['leaf'],
    () => ({ extensions: { altNames: ext.altNames([{ dns: 'p*.peer.example' }]) } }),
  ],
  'a name in capitals': [['leaf'], () => ({ extensions: { altNames: ext.altNames([{ dns: 'PEER.Example' }]) } })],
  'a name with a trailing dot': [
    ['leaf'],
    () => ({ extensions: { altNames: ext.altNames([{ dns: 'peer.example.' }]) } }),
  ],
  'NUL in a name': [['leaf'], () => ({ extensions: { altNames: ext.altNames([{ dns: 'peer.example\0.a.test' }]) } })],
  'a common name instead of subjectAltName': [
    ['leaf'],
    () => ({ subject: 'CN=peer.example', extensions: { altNames: undefined } }),
  ],
  'a policy of another kind': [['ca', 'leaf'], () => ({ add: [ext.policies(['1.2.3.5'])] })],
  'a policy, and one required': [['ca'], () => ({ add: [ext.policies(['1.2.3.4']), ext.policyConstraints(0)] })],
  'anyPolicy, and a policy required': [
    ['ca'],
    () => ({ add: [ext.policies(['2.5.29.32.0']), ext.policyConstraints(0)] }),
  ],
  'anyPolicy inhibited, and a policy required': [
    ['ca'],
    () => ({ add: [ext.policies(['2.5.29.32.0']), ext.policyConstraints(0), ext.inhibitAnyPolicy(0)] }),
  ],
  'a policy mapped, and one required': [
    ['ca'],
    () => ({
      add: [ext.policies(['1.2.3.4']), ext.policyMappings([['1.2.3.4', '1.2.3.5']]), ext.policyConstraints(0)],
    }),
  ],
  'anyPolicy mapped': [
    ['ca'],
    () => ({ add: [ext.policies(['1.2.3.4']), ext.policyMappings([['2.5.29.32.0', '1.2.3.5']])] }),
  ],
  'one policy twice': [['leaf'], () => ({ add: [ext.policies(['1.2.3.4', '1.2.3.4'])] })],
  'policyConstraints not critical': [['ca'], () => ({ add: [ext.policyConstraints(5, undefined, false)] })],
  'UTCTime without seconds': [['leaf', 'ca'], () => ({ notAfter: tlv(0x17, der.text('4912312359Z')) })],
  'UTCTime with an offset': [['leaf', 'ca'], () => ({ notAfter: tlv(0x17, der.text('491231235959+0100')) })],
  'GeneralizedTime with fractions': [['leaf'], () => ({ notAfter: tlv(0x18, der.text('20501231235959.5Z')) })],
  'no end': [['root', 'ca', 'leaf'], () => ({ notAfter: tlv(0x18, der.text('99991231235959Z')) })],
  'cA true without pathLen, of a leaf with keyCertSign': [
    ['leaf'],
    () => ({
      extensions: {
        basicConstraints: ext.basicConstraints(true, 0),
        keyUsage: ext.keyUsage(['digitalSignature', 'keyCertSign']),
      },
    }),
  ],
  'keyUsage without bits': [['leaf', 'ca'], () => ({ extensions: { keyUsage: ext.keyUsage([]) } })],
  'extendedKeyUsage critical': [
    ['leaf', 'ca'],
    () => ({ extensions: { purposes: ext.purposes(['serverAuth', 'clientAuth'], true) } }),
  ],
  'name in PrintableString': [['ca', 'leaf'], () => ({ issuer: 'printable' })],
  'unique identifier': [['leaf'], () => ({ changeTbs: withUniqueId })],
  'self-issued CA': [['ca'], () => ({ subject: 'name of the issuer' })],
};

/** issuerUniqueID in front of the extensions, which are the last element of a TBSCertificate. */
function withUniqueId(tbs: Uint8Array): Uint8Array {
  const reader = new DerReader(tbs).sequence('tbs');
  const fields: Uint8Array[] = [];
  while (!reader.done) {
    reader.any('field');
    fields.push(reader.element());
  }
  return der.seq(...fields.slice(0, -1), tlv(0x81, 0, 1, 2, 3), fields.at(-1) as Uint8Array);
}
