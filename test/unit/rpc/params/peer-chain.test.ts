/** The forms in which a proxy can put a chain into a question, and the bounds of each. */

import { describe, expect, test } from 'vitest';
import { MOST_CHAIN_CERTIFICATES, MOST_CHAIN_OCTETS, readChain } from '../../../../src/rpc/params/peer-chain.js';
import { CertificateCache } from '../../../../src/state/verdicts/certificate-cache.js';
import { ca, leaf, root } from '../../../support/certificates.js';

const top = root({ subject: 'CN=Root' });
const middle = ca(top, { subject: 'CN=Middle' });
const peer = leaf(middle, { subject: 'CN=b.example' });
const [leafPem, middlePem, rootPem] = [peer.pem, middle.pem, top.pem];
const base64 = (pem: string) => pem.replace(/-----[^-]*-----|\s/g, '');
/** As Kamailio writes it: blanks as `%20`, or as `+`. */
const urlencoded = (pem: string) => encodeURIComponent(pem).replaceAll('%2D', '-');

function chain(given: Parameters<typeof readChain>[0]) {
  const counters = { hits: 0, misses: 0 };
  const cache = new CertificateCache({ entries: 100, octets: 10_000_000, idleMs: 60_000 }, counters);
  const found = readChain(given, peer.facts, (text) => cache.read(text));
  return {
    names: found?.certificates.map(({ subjectText }) => subjectText),
    ignored: found?.ignored,
    parsed: counters.misses,
  };
}

const BOTH = ['CN=Middle', 'CN=Root'];

describe('the forms of a chain', () => {
  test.each([
    ['PEM, several in one text', leafPem + middlePem + rootPem],
    ['PEM with CRLF', (middlePem + rootPem).replaceAll('\n', '\r\n')],
    ['PEM with text between', `subject=CN=Middle\n${middlePem}\n1 s:/CN=Root\n${rootPem}`],
    ['PEM that runs into each other', `${middlePem.trim()}${rootPem.trim()}`],
    ['urlencoded PEM, several in one text', [leafPem, middlePem, rootPem].map(urlencoded).join('')],
    [
      'urlencoded PEM with + for blanks',
      [middlePem, rootPem].map((pem) => urlencoded(pem).replaceAll('%20', '+')).join(''),
    ],
    ['urlencoded to the last dash', [middlePem, rootPem].map((pem) => urlencoded(pem).replaceAll('-', '%2D')).join('')],
    ['base64 DER, in lines', [middlePem, rootPem].map((pem) => pem.replace(/-----[^-]*-----/g, ''))],
    ['base64 DER, with commas', [leafPem, middlePem, rootPem].map(base64).join(',')],
    ['a list of PEM', [middlePem, rootPem]],
    ['a list of mixed forms', [leafPem, base64(middlePem), urlencoded(rootPem)]],
    ['a list with what Kamailio has not', ['<null>', middlePem, '', null, rootPem]],
    ['a text with what Kamailio has not', `${middlePem}<null>${rootPem}<null>`],
    ['the same certificate over and over', [middlePem, middlePem, rootPem, middlePem]],
  ])('ok/%s', (_, given) => {
    expect(chain(given)).toMatchObject({ names: BOTH, ignored: [] });
  });

  test.each([
    ['nothing but nulls', '<null><null>'],
    ['an urlencoded null', '%3Cnull%3E'],
    ['an empty list', []],
    ['the leaf alone', leafPem],
  ])('ok/%s is no chain', (_, given) => {
    expect(chain(given).names).toBeUndefined();
  });
});

describe('what cannot be read is left out, and takes nothing with it', () => {
  test.each([
    ['text that is no certificate', ['hello', middlePem, rootPem], /^certificate 1: /],
    ['broken base64', [middlePem.replace('M', '!'), middlePem, rootPem], /^certificate 1: /],
    ['DER that is no certificate', ['AAAA', middlePem, rootPem], /^certificate 1: /],
    ['a certificate that was cut off', `${middlePem}${rootPem}${leafPem.slice(0, 200)}`, /^certificate 3: .*END/],
    [
      'a private key',
      `-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n${middlePem}${rootPem}`,
      /^certificate 1: /,
    ],
  ])('ok/%s', (_, given, why) => {
    const { names, ignored } = chain(given);
    expect(names).toEqual(BOTH);
    expect(ignored).toHaveLength(1);
    expect(ignored?.[0]).toMatch(why);
  });
});

describe('bounds', () => {
  test('ok/number: no more are read', () => {
    const many = Array.from({ length: 20 }, (_, at) => root({ subject: `CN=CA ${at}` }).pem);
    const { names, ignored, parsed } = chain(many.join(''));
    expect(names).toHaveLength(MOST_CHAIN_CERTIFICATES);
    expect(parsed).toBe(MOST_CHAIN_CERTIFICATES);
    expect(ignored).toEqual([`expected at most ${MOST_CHAIN_CERTIFICATES} certificates, found more`]);
  });
  test('ok/octets: what came before counts', () => {
    const { names, ignored } = chain([middlePem, rootPem, 'A'.repeat(MOST_CHAIN_OCTETS), leafPem]);
    expect(names).toEqual(BOTH);
    expect(ignored).toEqual([`expected at most ${MOST_CHAIN_OCTETS} octets in all, found more`]);
  });
  test('ok/a flood of beginnings is read once', () => {
    const flood = '-----BEGIN '.repeat(MOST_CHAIN_OCTETS / 12);
    expect(chain(flood).ignored).toHaveLength(1);
  });
});
