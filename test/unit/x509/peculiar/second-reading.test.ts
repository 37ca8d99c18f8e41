import { describe, expect, it } from 'vitest';
import { readingsDiffer } from '../../../../src/x509/peculiar/second-reading.js';
import { ca, ext, leaf, root, sharedKey } from '../../../support/certificates.js';

const issuer = root({ subject: 'C=DE,O=Operator A+OU=PKI,CN=TLS CA' });

describe('readingsDiffer', () => {
  it.each([
    ['a root', issuer],
    ['a CA', ca(issuer, { add: [ext.constraints({ permitted: [{ dns: 'a.example' }] }), ext.policies(['1.2.3'])] })],
    ['a leaf', leaf(issuer)],
    ['an RSA leaf', leaf(issuer, { key: sharedKey('rsa2048') })],
    ['a negative serial number', leaf(issuer, { serial: -200n })],
    ['a hostile name', leaf(issuer, { extensions: { altNames: ext.altNames([{ dns: 'a\0.example' }]) } })],
  ])('ok/two parsers agree on %s', (_, { facts }) => {
    expect(readingsDiffer(facts)).toBeUndefined();
  });

  it('fail/tells in what they differ', () => {
    const { facts } = leaf(issuer);
    expect(readingsDiffer({ ...facts, notAfter: 5 })).toContain('validity: one parser reads');
    expect(readingsDiffer({ ...facts, extendedKeyUsage: undefined })).toContain('usage: one parser reads "absent"');
    expect(readingsDiffer({ ...facts, der: new Uint8Array(5) })).toContain('cannot read it');
  });
});
