import { z } from 'zod';
import { describeCertificate } from '../../x509/describe.js';
import type { CertificateFacts } from '../../x509/facts.js';
import { lintCertificate } from '../../x509/profile.js';
import { verifyRecord } from '../../x509/verify-record.js';
import { foldByteParams } from '../byte-params.js';
import { RpcError } from '../errors.js';
import type { CertificateReader } from '../evidence.js';
import { defineMethod, type Method } from '../method.js';

/** Certificates that are not part of a connection: what one says, and whether a path holds. */
export function certificateMethods(read: CertificateReader, now: () => number): Method[] {
  function known(pem: string): CertificateFacts {
    const facts = read(pem);
    if (!('malformed' in facts)) return facts;
    throw new RpcError('invalid-params', [{ path: 'pem', expected: 'an X.509 certificate', found: facts.malformed }]);
  }

  return [
    defineMethod({
      name: 'cert.show',
      doc: 'What a certificate says: names, validity, usage, SIP domain identities, hashes',
      params: z.preprocess((params) => foldByteParams(params), z.strictObject({ pem: z.string() })),
      positional: ['pem'],
      handler: ({ pem }) => describeCertificate(known(pem)),
    }),
    defineMethod({
      name: 'cert.lint',
      doc: 'Checks a certificate against TS 33.310 §6.1, RFC 5922 and RFC 5924: severity and clause of each finding',
      params: z.preprocess(
        (params) => foldByteParams(params),
        z.strictObject({ pem: z.string(), kind: z.literal(['tls-entity', 'tls-ca']).default('tls-entity') }),
      ),
      positional: ['pem', 'kind'],
      handler: ({ pem, kind }) => lintCertificate(known(pem), kind, now()),
    }),
    defineMethod({
      name: 'cert.verify',
      doc: 'Judges a certificate path by RFC 5280: leaf, intermediates, anchors, crls, at, purpose, names',
      params: z.record(z.string(), z.unknown()),
      handler: (record) => verifyRecord(record),
    }),
  ];
}
