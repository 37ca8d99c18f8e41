import { describe, expect, it } from 'vitest';
import type { AlternativeName } from '../../../../src/x509/certificate/facts.js';
import { generalNameText } from '../../../../src/x509/certificate/general-name.js';
import { der, tlv } from '../../../support/der.js';

const other = (id: string, value: Uint8Array): Uint8Array => der.concat(der.oid(id), tlv(0xa0, value));
const name = der.seq(tlv(0x31, der.seq(der.oid('2.5.4.3'), der.utf8('b.example'))));

/** Names as people read them: RFC 5280 §4.2.1.6, RFC 4985, RFC 4514. */
describe('generalNameText', () => {
  it.each<[string, AlternativeName['type'], Uint8Array]>([
    ['dns:b.example', 'dns', der.text('b.example')],
    ['uri:sip:b\\x00.example', 'uri', der.text('sip:b\0.example')],
    ['ip:192.0.2.1', 'ip', Uint8Array.of(192, 0, 2, 1)],
    ['ip:2001:0db8:0000:0000:0000:0000:0000:0001', 'ip', Uint8Array.of(0x20, 1, 0xd, 0xb8, ...new Uint8Array(11), 1)],
    ['ip:010203', 'ip', Uint8Array.of(1, 2, 3)],
    ['directory:CN=b.example', 'directory', name],
    ['directory:3003', 'directory', Uint8Array.of(0x30, 3)],
    ['rid:1.2.3.4', 'rid', Uint8Array.of(0x2a, 3, 4)],
    ['rid:80', 'rid', Uint8Array.of(0x80)],
    ['other:SRVName _sips.b.example', 'other', other('1.3.6.1.5.5.7.8.7', der.ia5('_sips.b.example'))],
    ['other:XmppAddr im@b\\xc3\\xbc', 'other', other('1.3.6.1.5.5.7.8.5', der.utf8('im@b\u00fc'))],
    ['other:UPN sbc@b.example', 'other', other('1.3.6.1.4.1.311.20.2.3', der.utf8('sbc@b.example'))],
    ['other:1.2.3.4 0c0178', 'other', other('1.2.3.4', der.utf8('x'))],
    ['other:0601', 'other', Uint8Array.of(6, 1)],
  ])('ok/%s', (text, type, bytes) => expect(generalNameText({ type, bytes })).toBe(text));

  it('ok/a long one is cut', () => {
    const bytes = der.text('a'.repeat(200));
    expect(generalNameText({ type: 'dns', bytes })).toBe(`dns:${'a'.repeat(128)}...`);
    expect(generalNameText({ type: 'dns', bytes }, Number.POSITIVE_INFINITY)).toBe(`dns:${'a'.repeat(200)}`);
  });
});
