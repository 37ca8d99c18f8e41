import { describe, expect, it } from 'vitest';
import { MalformedPem, readPem, writePem } from '../../../../src/x509/der/pem.js';

const bytes = Uint8Array.from({ length: 100 }, (_, i) => i);
const pem = writePem(bytes);
const body = pem.split('\n').slice(1, -2).join('\n');

describe('readPem', () => {
  it.each([
    ['one certificate', pem, 1],
    ['several', pem + pem, 2],
    ['with explanations around', `Operator B\n${pem}# next\n${pem}`, 2],
    ['CR LF', pem.replaceAll('\n', '\r\n'), 1],
    ['without a last line break', pem.trimEnd(), 1],
    ['in one line', `-----BEGIN CERTIFICATE-----\n${body.replaceAll('\n', '')}\n-----END CERTIFICATE-----`, 1],
    ['with spaces at the ends of lines', pem.replaceAll('\n', ' \n'), 1],
    ['X509 CERTIFICATE', pem.replaceAll(' CERTIFICATE', ' X509 CERTIFICATE'), 1],
  ])('ok/%s', (_, text, count) => {
    expect(readPem(text)).toEqual(Array.from({ length: count }, () => bytes));
  });

  it('ok/a CRL where CRLs are asked for', () => {
    expect(readPem(writePem(bytes, 'X509 CRL'), 'X509 CRL')).toEqual([bytes]);
  });

  it.each([
    ['nothing', '', 'found nothing'],
    ['blanks', ' \n', 'found nothing'],
    ['DER', Buffer.from(bytes).toString('latin1'), 'found no PEM block'],
    ['a private key', writePem(bytes, 'PRIVATE KEY'), 'found "PRIVATE KEY"'],
    ['a CRL', writePem(bytes, 'X509 CRL'), 'expected a block labelled CERTIFICATE, found "X509 CRL"'],
    ['no end', pem.split('\n').slice(0, -2).join('\n'), 'expected -----END CERTIFICATE-----, found the end'],
    ['no beginning', pem.split('\n').slice(1).join('\n'), 'expected -----BEGIN CERTIFICATE-----'],
    ['another end', pem.replace('END CERTIFICATE', 'END X509 CRL'), 'expected -----END CERTIFICATE-----'],
    ['a beginning within', pem.replace('\n', '\n-----BEGIN CERTIFICATE-----\n'), 'found another BEGIN'],
    ['a misspelt beginning', pem.replace('-----BEGIN', '----- BEGIN'), 'expected -----BEGIN CERTIFICATE-----'],
    ['characters that are no base64', pem.replace('AAEC', '*AEC'), 'expected base64'],
    ['base64url', pem.replace(body, '_-_-'), 'expected base64'],
    ['nothing between', pem.replace(body, ''), 'expected padded base64'],
    ['missing padding', pem.replace('=', ''), 'expected padded base64'],
    ['padding within', pem.replace(body, 'AA==\nAAAA'), 'after the padding'],
    ['stray bits', pem.replace(body, 'AB=='), 'expected padded base64'],
    [
      'a byte-order mark',
      `\ufeff${pem}`,
      'line 1: expected -----BEGIN CERTIFICATE-----, found a byte-order mark in front of it (EF BB BF)',
    ],
    ['a byte-order mark in octets', `\xef\xbb\xbf${pem}`, 'found a byte-order mark in front of it (EF BB BF)'],
    ['a byte-order mark on a line before it', `\ufeff\n${pem.slice(1)}`, 'line 1: expected'],
    ['UTF-16', `\xff\xfe${[...pem].join('\0')}`, 'found UTF-16'],
    ['indented, as in YAML', pem.replaceAll(/^/gm, '  '), 'found it in the middle of line 1'],
    [
      'a value of a header, in quotes (Envoy)',
      `Hash=1;Cert="${pem}"`,
      'found "-----END CERTIFICATE-----", and a beginning in the middle of line 1: it must begin the line',
    ],
    [
      'blanks for line ends',
      pem.replaceAll('\n', ' '),
      'line 1: expected -----BEGIN CERTIFICATE----- alone on its line, found "-----BEGIN CERTIFICATE----- ',
    ],
    ['padding of three', pem.replace(body, 'A==='), 'expected padded base64'],
    ['padding alone', pem.replace(body, '===='), 'expected padded base64'],
    ['another letter in the last digit', pem.replace(body, 'AAB='), 'expected padded base64'],
    ['headers of RFC 1421', pem.replace('\n', '\nProc-Type: 4,ENCRYPTED\n'), 'expected base64'],
  ])('fail/%s', (_, text, message) => {
    expect(() => readPem(text)).toThrow(MalformedPem);
    expect(() => readPem(text)).toThrow(message);
  });

  it.each([
    ['characters', { characters: pem.length - 1, blocks: 1 }, `expected at most ${pem.length - 1} characters`],
    ['blocks', { characters: 3 * pem.length, blocks: 1 }, 'expected at most 1 PEM blocks, found more'],
  ])('fail/more %s than the limit', (_, limits, message) => {
    expect(() => readPem(`${pem}${pem}`, 'CERTIFICATE', limits)).toThrow(message);
  });

  it('ok/reads what base64 of any length encodes', () => {
    for (let length = 1; length < 50; length++) {
      const octets = Uint8Array.from({ length }, (_, i) => (i * 37) & 255);
      expect(readPem(writePem(octets))).toEqual([octets]);
    }
  });

  it('fail/names the line', () => {
    expect(() => readPem(`${pem}\n${pem.replace('AAEC', '*AEC')}`)).toThrow(/^line 8: expected base64/);
  });
});
