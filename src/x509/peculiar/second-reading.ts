/**
 * The same certificate as another parser, @peculiar/x509, reads it.
 *
 * Facts come from our own reader (certificate.ts), because @peculiar/x509 accepts BER, merges duplicate extensions and
 * takes ten times as long. Its independence is what it is good for: a certificate that two parsers read differently is
 * worth an operator's look before it becomes an anchor (`cert lint`), and the fuzz runs hold our reader against it.
 */

import 'reflect-metadata';
import { type BasicConstraintsExtension, type ExtendedKeyUsageExtension, X509Certificate } from '@peculiar/x509';
import { keysOf } from '../../typed.js';
import { type CertificateFacts, EXTENSION } from '../certificate/index.js';
import { hex, sameOctets } from '../der/index.js';

/** What both parsers can tell, in one form. */
type Reading = Readonly<
  Record<'serial' | 'subject' | 'issuer' | 'validity' | 'key' | 'extensions' | 'usage' | 'ca', string>
>;

/** In what the two readings of a certificate differ, in words; undefined: they agree. */
export function readingsDiffer(facts: CertificateFacts): string | undefined {
  let theirs: Reading;
  try {
    theirs = readAgain(facts.der);
  } catch (cause) {
    return `a second parser cannot read it: ${cause instanceof Error ? cause.message : String(cause)}`;
  }
  const ours = reading(facts);
  const field = keysOf(ours).find((key) => ours[key] !== theirs[key]);
  return field && `${field}: one parser reads ${JSON.stringify(ours[field])}, another ${JSON.stringify(theirs[field])}`;
}

function reading(facts: CertificateFacts): Reading {
  return {
    serial: hex(facts.serialOctets).replace(/^0+(?=.)/, ''),
    subject: base64(facts.subjectDer),
    issuer: base64(facts.issuerDer),
    validity: `${facts.notBefore}/${facts.notAfter}`,
    key: base64(facts.publicKey.der),
    extensions: facts.extensions.map(({ oid, critical }) => `${oid}${critical ? '!' : ''}`).join(),
    usage: facts.extendedKeyUsage?.join() ?? 'absent',
    ca: String(facts.basicConstraints?.ca ?? 'absent'),
  };
}

const base64 = (octets: Uint8Array | ArrayBuffer): string => Buffer.from(new Uint8Array(octets)).toString('base64');

function readAgain(der: Uint8Array): Reading {
  const copy = new Uint8Array(der);
  const certificate = new X509Certificate(copy);
  if (!sameOctets(new Uint8Array(certificate.rawData), der)) throw new Error('it encodes it differently');
  const usage = certificate.getExtension<ExtendedKeyUsageExtension>(EXTENSION.extKeyUsage);
  const constraints = certificate.getExtension<BasicConstraintsExtension>(EXTENSION.basicConstraints);
  return {
    serial: certificate.serialNumber.replace(/^0+(?=.)/, '').toLowerCase(),
    subject: base64(certificate.subjectName.toArrayBuffer()),
    issuer: base64(certificate.issuerName.toArrayBuffer()),
    validity: `${certificate.notBefore.getTime()}/${certificate.notAfter.getTime()}`,
    key: base64(certificate.publicKey.rawData),
    extensions: certificate.extensions.map(({ type, critical }) => `${type}${critical ? '!' : ''}`).join(),
    usage: usage?.usages.join() ?? 'absent',
    ca: String(constraints?.ca ?? 'absent'),
  };
}
