import { describe, expect, it } from 'vitest';
import { whyUnsigned } from '../../../../src/x509/revocation/crl-signer.js';
import { ca, crl, ext, makeKey, root } from '../../../support/certificates.js';

const anchor = root({ subject: 'CN=A' });
const sub = ca(anchor, { subject: 'CN=B' });
const authorities = [anchor.facts, sub.facts];

describe('whyUnsigned', () => {
  it('ok/a list of an anchor, and one of an intermediate', () => {
    expect(whyUnsigned(crl(anchor).facts, authorities)).toBeUndefined();
    expect(whyUnsigned(crl(sub).facts, authorities)).toBeUndefined();
  });
  it('fail/a list of somebody else', () => {
    expect(whyUnsigned(crl(root({ subject: 'CN=C' })).facts, authorities)).toBe('none of them is named CN=C');
  });
  it('fail/a list in the name of a CA, with another key', () => {
    const forged = crl(anchor, { signer: makeKey() }).facts;
    expect(whyUnsigned(forged, authorities)).toBe('the signature does not verify with the key of CN=A');
  });
  it('fail/a CA that may not sign lists', () => {
    const only = root({ subject: 'CN=A', extensions: { keyUsage: ext.keyUsage(['keyCertSign']) } });
    expect(whyUnsigned(crl(only).facts, [only.facts])).toContain('without cRLSign');
  });
});
