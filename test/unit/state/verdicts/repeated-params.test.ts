import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type EvidenceParams, peerParams } from '../../../../src/rpc/params/evidence.js';
import { RepeatedParams } from '../../../../src/state/verdicts/repeated-params.js';
import { question } from '../../../support/evidence.js';
import { runs } from '../../../support/runs.js';

const PEM = `-----BEGIN CERTIFICATE-----\n${'A'.repeat(1500)}\n-----END CERTIFICATE-----\n`;
const QUESTION = question(PEM, { proto: 'TLS', conid: '5', src_port: '40000', rcv_port: '5061' }, { verified: '1' });

function asker(max = 10) {
  const repeated = new RepeatedParams<EvidenceParams>({ entries: max, octets: 1_000_000 });
  let checks = 0;
  const ask = (params: unknown) =>
    repeated.checked(params, () => {
      checks += 1;
      return peerParams.parse(params);
    });
  return { ask, checks: () => checks };
}

describe('RepeatedParams', () => {
  test('ok/another connection of the same peer is not checked again', () => {
    const { ask, checks } = asker();
    ask(QUESTION);
    const again = { ...QUESTION, conid: 7, src_port: '0081' };
    expect(ask(again)).toEqual(peerParams.parse(again));
    expect(checks()).toBe(1);
  });

  test('ok/a certificate in base64 is not checked again either', () => {
    const { ask, checks } = asker();
    const { pem, ...rest } = QUESTION.tls;
    const encoded = { ...QUESTION, tls: { ...rest, pem_b64: Buffer.from(pem).toString('base64') } };
    ask(encoded);
    expect(ask({ ...encoded, conid: '6' })).toEqual(peerParams.parse({ ...QUESTION, conid: '6' }));
    expect(checks()).toBe(1);
  });

  test('fail/the right certificate in one form does not vouch for another in the other form', () => {
    const encoded = (text: string) => Buffer.from(text).toString('base64');
    // The same end: a signature is long, and here it is all that is the same.
    const forged = `-----BEGIN CERTIFICATE-----\n${'B'.repeat(1000)}${'A'.repeat(500)}\n-----END CERTIFICATE-----\n`;
    for (const absent of ['<null>', '']) {
      const { ask } = asker();
      const { pem, ...rest } = QUESTION.tls;
      const asked = (text: string) => ({ ...QUESTION, tls: { ...rest, pem_b64: encoded(text), pem: absent } });
      expect(ask(asked(PEM)).tls?.pem).toBe(PEM);
      expect(ask(asked(forged)).tls?.pem).toBe(forged);
    }
  });

  test('fail/a certificate in both forms stays refused', () => {
    const { ask } = asker();
    const both = { ...QUESTION, tls: { ...QUESTION.tls, pem_b64: Buffer.from(PEM).toString('base64') } };
    ask(QUESTION);
    expect(() => ask(both)).toThrow();
    expect(() => ask(both)).toThrow();
  });

  for (const [name, change] of [
    ['another address', { src_ip: '192.0.2.3' }],
    ['another local port', { rcv_port: '5062' }],
    ['a number for a string', { rcv_port: 5061 }],
    ['no connection id', { conid: undefined }],
    ['a connection id with letters', { conid: 'a5' }],
    ['a key besides', { next_hop: 'b.example' }],
    ['not verified', { tls: { ...QUESTION.tls, verified: '0' } }],
    ['a certificate of the same end', { tls: { ...QUESTION.tls, pem: `B${PEM}` } }],
    ['tls without a certificate', { tls: { verified: '1' } }],
    ['attributes', { tls: { ...QUESTION.tls, attributes: { subject: 'CN=a' } } }],
  ] as const) {
    test(`ok/${name} is checked by itself`, () => {
      const { ask, checks } = asker();
      ask(QUESTION);
      const other = JSON.parse(JSON.stringify({ ...QUESTION, ...change })) as unknown;
      expect(ask(other)).toEqual(peerParams.parse(other));
      expect(checks()).toBe(2);
    });
  }

  for (const [name, change] of [
    ['a list as connection id', { conid: ['5'] }],
    ['the connection id twice', { conid_b64: 'NQ==' }],
    ['a port out of range', { src_port: '65536' }],
    ['a number too large', { rcv_port: Number.POSITIVE_INFINITY }],
    ['a certificate that is no text', { tls: { ...QUESTION.tls, pem: 5 } }],
    ['a certificate out of a header (T-10)', { tls: { ...QUESTION.tls, source: 'header' } }],
    ['tls as a list', { tls: [QUESTION.tls] }],
  ] as const) {
    test(`fail/${name} stays refused after a good question`, () => {
      const { ask } = asker();
      ask(QUESTION);
      expect(() => ask({ ...QUESTION, ...change })).toThrow();
    });
  }

  test('ok/any sequence of questions: as if each were checked in full', () => {
    const { ask } = asker(3);
    const scalar = fc.constantFrom(
      '',
      '<null>',
      '0',
      '5',
      '5061',
      '99999',
      'in',
      'tls',
      '192.0.2.1',
      '}',
      5,
      -1,
      true,
      null,
    );
    // Base64 or not, of one end and of another.
    const pem = fc.constantFrom('A'.repeat(200), `B${'A'.repeat(199)}`, `${'A'.repeat(199)}B`);
    const members = fc.dictionary(
      fc.constantFrom(
        'direction',
        'proto',
        'conid',
        'conid_b64',
        'src_ip',
        'src_port',
        'src_port_b64',
        'rcv_port',
        'next_hop',
      ),
      fc.oneof(scalar, fc.array(scalar, { maxLength: 1 })),
    );
    const tls = fc.dictionary(
      fc.constantFrom('pem', 'pem_b64', 'verified', 'version', 'conid', 'tls'),
      fc.oneof(scalar, pem),
    );
    const outcome = (work: () => unknown) => {
      try {
        return work();
      } catch {
        return 'refused';
      }
    };
    fc.assert(
      fc.property(members, fc.option(tls, { nil: undefined }), (most, inTls) => {
        const params = { direction: 'in', proto: 'tls', ...most, ...(inTls === undefined ? {} : { tls: inTls }) };
        expect(outcome(() => ask(params))).toEqual(outcome(() => peerParams.parse(params)));
      }),
      { numRuns: runs(1_000) },
    );
  });
});
