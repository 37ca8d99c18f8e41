import { describe, expect, test } from 'vitest';
import { questionOfUri } from '../../../../src/trust/evidence/hop-question.js';

describe('questionOfUri', () => {
  test.each([
    ['FreeSWITCH with transport=tls among its contact-params', 'sip:a@b.example:5061;transport=tls;transport=tls;gw=b'],
    ['the value in capitals once', 'sip:a@b.example:5061;transport=tls;lr;transport=TLS'],
    ['maddr, too', 'sip:a@other.example:5061;transport=tls;maddr=b.example;maddr=B.example'],
  ])('ok/a parameter that says the same twice leads where it says: %s', (_, uri) => {
    expect(questionOfUri(uri)).toEqual(questionOfUri('sip:a@b.example:5061;transport=tls'));
  });

  test.each([
    ['two values', 'sip:a@b.example;transport=udp;transport=tls', 'transport'],
    ['the third differs', 'sip:a@b.example;transport=tls;transport=tls;transport=udp', 'transport'],
    ['one without a value', 'sip:a@b.example;transport=tls;transport', 'transport'],
    ['none with a value', 'sip:a@b.example;transport;transport', 'transport'],
    ['an escape that not every reader takes away', 'sip:a@b.example;transport=tls;transport=%74ls', 'transport'],
    ['two hosts', 'sip:a@b.example;maddr=b.example;maddr=c.example', 'maddr'],
  ])('fail/a parameter that two readers take for different ones: %s', (_, uri, key) => {
    expect(questionOfUri(uri)).toEqual({ why: expect.stringContaining(`parameter ${key}`) });
  });
});
