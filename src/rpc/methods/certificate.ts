import { z } from 'zod';
import { describeCertificate } from '../../x509/describe.js';
import { verifyRecord } from '../../x509/verify-record.js';
import { foldByteParams } from '../byte-params.js';
import { RpcError } from '../errors.js';
import type { CertificateReader } from '../evidence.js';
import { defineMethod, type Method } from '../method.js';

/** Certificates that are not part of a connection: what one says, and whether a path holds. */
export function certificateMethods(read: CertificateReader): Method[] {
  return [
    defineMethod({
      name: 'cert.show',
      doc: 'What a certificate says: names, validity, usage, SIP domain identities, hashes',
      params: z.preprocess((params) => foldByteParams(params), z.strictObject({ pem: z.string() })),
      positional: ['pem'],
      handler: ({ pem }) => {
        const facts = read(pem);
        if ('malformed' in facts) {
          throw new RpcError('invalid-params', [
            { path: 'pem', expected: 'an X.509 certificate', found: facts.malformed },
          ]);
        }
        return describeCertificate(facts);
      },
    }),
    defineMethod({
      name: 'cert.verify',
      doc: 'Judges a certificate path by RFC 5280: leaf, intermediates, anchors, crls, at, purpose, names',
      params: z.record(z.string(), z.unknown()),
      handler: (record) => verifyRecord(record),
    }),
  ];
}
