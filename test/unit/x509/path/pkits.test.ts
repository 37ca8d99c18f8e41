import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { MalformedCertificate, parseCertificate } from '../../../../src/x509/certificate/certificate.js';
import type { CertificateFacts } from '../../../../src/x509/certificate/facts.js';
import { verifyPath } from '../../../../src/x509/path/path.js';
import { type CrlFacts, MalformedCrl, parseCrl } from '../../../../src/x509/revocation/crl.js';
import { PKITS_EXCEPTIONS } from './pkits-exceptions.js';

/** The NIST suite, beside the project and not part of it; `SIPTRUST_PKITS` names another place. */
const folder =
  process.env.SIPTRUST_PKITS ?? fileURLToPath(new URL('../../../../../shared/practice/pkits/', import.meta.url));
const present = existsSync(`${folder}cases.json`);
if (!present) console.warn(`PKITS is skipped: ${folder}cases.json is not there`);

interface Case {
  readonly name: string;
  readonly leaf: string;
  readonly others: readonly string[];
  readonly crls: readonly string[];
  readonly require_rev: boolean;
  readonly expect: 'SUCCESS' | 'FAILURE';
}

const cases: readonly Case[] = present ? (JSON.parse(readFileSync(`${folder}cases.json`, 'utf8')) as Case[]) : [];

function certificates(names: readonly string[]): CertificateFacts[] {
  return names.flatMap((name) => {
    try {
      return [parseCertificate(readFileSync(`${folder}certs/${name}`))];
    } catch (cause) {
      if (cause instanceof MalformedCertificate) return [];
      throw cause;
    }
  });
}

function lists(names: readonly string[]): CrlFacts[] {
  return names.flatMap((name) => {
    try {
      return [parseCrl(readFileSync(`${folder}crls/${name}`))];
    } catch (cause) {
      if (cause instanceof MalformedCrl) return [];
      throw cause;
    }
  });
}

function judge(test: Case, strict: boolean): 'SUCCESS' | 'FAILURE' {
  const [leaf] = certificates([test.leaf]);
  if (leaf === undefined) return 'FAILURE';
  const { ok } = verifyPath({
    leaf,
    intermediates: certificates(test.others),
    anchors: certificates(['TrustAnchorRootCertificate.crt']),
    crls: lists([...test.crls, 'TrustAnchorRootCRL.crl']),
    at: Date.UTC(2020, 0, 1),
    purpose: 'any',
    names: [],
    revocation: test.require_rev ? 'hard' : 'off',
    strict,
  });
  return ok ? 'SUCCESS' : 'FAILURE';
}

describe.skipIf(!present)('PKITS', () => {
  it('ok/has all its cases', () => {
    expect(cases.length).toBe(172);
    expect(PKITS_EXCEPTIONS.length).toBeLessThanOrEqual(4);
    const names = new Set(cases.map(({ name }) => name));
    expect(PKITS_EXCEPTIONS.filter(({ id }) => !names.has(id))).toEqual([]);
  });

  it.each(cases.map((test) => [test.name, test] as const))('%s', (name, test) => {
    const exception = PKITS_EXCEPTIONS.find(({ id }) => id === name);
    if (exception !== undefined) expect(exception.expected).toBe(test.expect);
    const expected = exception?.actual ?? test.expect;
    expect(judge(test, false)).toBe(expected);
    expect(judge(test, true), 'strict').toBe(expected);
  });
});
