import { z } from 'zod';
import { NOTICE_DAYS } from '../../state/expiry/index.js';
import type { Of } from '../../state/trust/index.js';
import { inSlices } from '../../state/work/index.js';
import type { CertificateFacts } from '../../x509/certificate/index.js';
import { instant } from '../../x509/der/index.js';
import { describeCertificate } from '../../x509/identity/index.js';
import { lintCertificate } from '../../x509/lint/index.js';
import { verifyRecordInSteps } from '../../x509/path/index.js';
import { defineMethod, type Method, RpcError } from '../dispatch/index.js';
import { foldByteParams, wholeNumber } from '../params/index.js';

/** Longer than any certificate lives. */
const MOST_DAYS = 99_999;

/** Certificates that are not part of a connection: what one says, whether a path holds, and what ends when. */
export function certificateMethods(state: Of<'caches' | 'ends' | 'now'>): Method[] {
  function known(pem: string): CertificateFacts {
    const facts = state.caches.certificates.read(pem);
    if (!('malformed' in facts)) return facts;
    throw new RpcError('invalid-params', [{ path: 'pem', expected: 'an X.509 certificate', found: facts.malformed }]);
  }

  return [
    defineMethod({
      name: 'cert.show',
      role: 'viewer',
      doc: 'What a certificate says: names, validity, usage, SIP domain identities, hashes',
      params: z.preprocess((params) => foldByteParams(params), z.strictObject({ pem: z.string() })),
      positional: ['pem'],
      handler: ({ pem }) => describeCertificate(known(pem)),
    }),
    defineMethod({
      name: 'cert.lint',
      role: 'viewer',
      doc: 'Checks a certificate against TS 33.310 §6.1, RFC 5922 and RFC 5924: severity and clause of each finding',
      params: z.preprocess(
        (params) => foldByteParams(params),
        z.strictObject({ pem: z.string(), kind: z.literal(['tls-entity', 'tls-ca']).default('tls-entity') }),
      ),
      positional: ['pem', 'kind'],
      handler: ({ pem, kind }) => lintCertificate(known(pem), kind, state.now()),
    }),
    defineMethod({
      name: 'cert.verify',
      role: 'viewer',
      doc: 'Judges a certificate path by RFC 5280: leaf, intermediates, anchors, crls, at, purpose, names',
      params: z.record(z.string(), z.unknown()),
      handler: (record) => inSlices(verifyRecordInSteps(record)),
    }),
    defineMethod({
      name: 'cert.expiry',
      role: 'viewer',
      doc: "What ends within some days (30), or has ended: CAs, own and partners' certificates, pins, CRLs, agreements",
      params: z.preprocess(
        (params) => foldByteParams(params),
        z.strictObject({ within: wholeNumber(0, MOST_DAYS).default(NOTICE_DAYS) }),
      ),
      positional: ['within'],
      handler: async ({ within }) => {
        const rows = await state.ends.rows(within);
        return rows.map(({ what, agreement, subject, begins, ends, days, state: condition }) => {
          const life = { begins: begins === undefined ? '' : instant(begins), ends: instant(ends) };
          return { what, agreement, subject, ...life, days, state: condition };
        });
      },
    }),
  ];
}
