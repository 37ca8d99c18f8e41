/** Policies in memory, with one CA, one leaf certificate and one CRL of it; the tests set the time. */

import { expect } from 'vitest';
import { PolicyMemory } from '../../../src/policy/agreement/memory.js';
import { filesInMemory } from '../../../src/policy/reading/files.js';
import { formatProblem, Problems } from '../../../src/policy/reading/problem.js';
import { type CheckedPolicy, checkPolicy } from '../../../src/policy/snapshot/compile.js';
import { Packer } from '../../../src/policy/snapshot/parcel.js';
import { compilePolicy, type PolicyResult } from '../../support/compile-policy.js';

/** CN=Operator B CA, O=Operator B; valid from 2026-01-01 to 2035-12-31. */
export const CA_PEM = `-----BEGIN CERTIFICATE-----
MIIBijCCATGgAwIBAgIBAjAKBggqhkjOPQQDAjAtMRYwFAYDVQQDDA1PcGVyYXRv
ciBCIENBMRMwEQYDVQQKDApPcGVyYXRvciBCMB4XDTI2MDEwMTAwMDAwMFoXDTM1
MTIzMTIzNTk1OVowLTEWMBQGA1UEAwwNT3BlcmF0b3IgQiBDQTETMBEGA1UECgwK
T3BlcmF0b3IgQjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABPYG4uViUEZ2jBYK
Fk1cHFzqXtntmBFbpMAGg0vK0iv/62YYc9g6qbE0GnJQLg1KTj7yzijLsd3s+pGH
gdkFigujQjBAMA8GA1UdEwEB/wQFMAMBAf8wDgYDVR0PAQH/BAQDAgEGMB0GA1Ud
DgQWBBQ1MxUHHHwSJDeRczm9TVjQcrs5gDAKBggqhkjOPQQDAgNHADBEAiBuZMRZ
7JxhaO5TRPHPsOPNkVdQWmfVY2aqe/KfHt2/wwIgNrcAfCTx4Nib6KVF2h1ns6eM
3kzHeHtf0mCZQD+c+ow=
-----END CERTIFICATE-----
`;

/** CN=sbc.b.example of that CA, no CA itself, the same times. */
export const LEAF_PEM = `-----BEGIN CERTIFICATE-----
MIIBjjCCATSgAwIBAgIBAzAKBggqhkjOPQQDAjAtMRYwFAYDVQQDDA1PcGVyYXRv
ciBCIENBMRMwEQYDVQQKDApPcGVyYXRvciBCMB4XDTI2MDEwMTAwMDAwMFoXDTM1
MTIzMTIzNTk1OVowLTEWMBQGA1UEAwwNc2JjLmIuZXhhbXBsZTETMBEGA1UECgwK
T3BlcmF0b3IgQjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABPYG4uViUEZ2jBYK
Fk1cHFzqXtntmBFbpMAGg0vK0iv/62YYc9g6qbE0GnJQLg1KTj7yzijLsd3s+pGH
gdkFigujRTBDMAwGA1UdEwEB/wQCMAAwFAYDVR0RBA0wC4IJYi5leGFtcGxlMB0G
A1UdDgQWBBQ1MxUHHHwSJDeRczm9TVjQcrs5gDAKBggqhkjOPQQDAgNIADBFAiAe
9sWROS5KrrWEzIgwrVGBnRyYfdMHOp7IRz2mCtD/BAIhAJ4VpPsfLadE8SvnY5Sw
3N04oF5rOs8A9ltNkuwNt0nb
-----END CERTIFICATE-----
`;

/** CRL of that CA: thisUpdate 2026-06-01, nextUpdate 2026-07-01. */
export const CRL_PEM = `-----BEGIN X509 CRL-----
MIHFMGwCAQEwCgYIKoZIzj0EAwIwLTEWMBQGA1UEAwwNT3BlcmF0b3IgQiBDQTET
MBEGA1UECgwKT3BlcmF0b3IgQhcNMjYwNjAxMDAwMDAwWhcNMjYwNzAxMDAwMDAw
WqAOMAwwCgYDVR0UBAMCAQEwCgYIKoZIzj0EAwIDSQAwRgIhAIm1heNal0mScojx
fkbRwZ6A9EvZduXO6dBH9lZOd5XzAiEAjjWCvUMmtLQyMFmnyDQ4ed9NyVgYbyNr
Uzr90ApncDk=
-----END X509 CRL-----
`;

export const NOW = Date.parse('2026-06-15T12:00:00Z');

/** A base64 SHA-256. */
export const PIN = 'sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=';

export const MATERIAL: Readonly<Record<string, string | Uint8Array>> = {
  'ca.pem': CA_PEM,
  'leaf.pem': LEAF_PEM,
  'b.crl': CRL_PEM,
};

/** Compiles a main file `p.yaml`, with the files above and `more` beside it. */
export function compile(
  text: string | Uint8Array,
  more: Readonly<Record<string, string | Uint8Array>> = {},
  now = NOW,
): PolicyResult {
  const files = { ...MATERIAL, ...more, 'p.yaml': text };
  const result = compilePolicy(filesInMemory(files), 'p.yaml', 7, now);
  expectWrittenAlike(files, result, now);
  return result;
}

/** A policy of one file of which so much is listed that nothing of it is remembered says the same, and goes into the same octets. */
export function expectWrittenAlike(
  files: Readonly<Record<string, string | Uint8Array>>,
  checked: CheckedPolicy,
  now = NOW,
): void {
  const written = checkPolicy(filesInMemory(files), 'p.yaml', 7, now, new PolicyMemory(new Problems(), -1));
  const told = (policy: CheckedPolicy) => (policy.ok ? policy.warnings : policy.problems);
  expect(told(written)).toEqual(told(checked));
  const parcel = (policy: CheckedPolicy) => policy.ok && new Packer().pack(policy.parts, undefined, false);
  expect(JSON.stringify(parcel(written), inText) === JSON.stringify(parcel(checked), inText)).toBe(true);
}

function inText(_: string, value: unknown): unknown {
  if (!ArrayBuffer.isView(value)) return value;
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('latin1');
}

/** What is said of a policy, as people see it. */
export function said(result: PolicyResult): readonly string[] {
  return (result.ok ? result.warnings : result.problems).map(formatProblem);
}

/** The compiled policy; the problems, as the failure of the test, where there is none. */
export function compiled(result: PolicyResult): Extract<PolicyResult, { ok: true }> {
  if (!result.ok) throw new Error(said(result).join('\n'));
  return result;
}

/** A tls agreement, lines 3 to 6; what is added begins at line 7, column 5. */
export function tls(...lines: readonly string[]): string {
  return text(
    'own_domains: [a.example]',
    'agreements:',
    '  - name: op-b',
    '    domains: [b.example]',
    '    mechanism: tls',
    '    anchors: [ca.pem]',
    ...lines.map((line) => `    ${line}`),
  );
}

/** An nds-ip agreement, lines 5 to 9; what is added begins at line 10, column 5. */
export function nds(...lines: readonly string[]): string {
  return text(
    'own_domains: [a.example]',
    'interfaces:',
    '  - {name: za, listen: 10.0.0.1:5062, mechanism: nds-ip, implicit_trust: true}',
    'agreements:',
    '  - name: op-c',
    '    domains: [c.example]',
    '    mechanism: nds-ip',
    '    interface: za',
    '    sources: [192.0.2.0/28]',
    ...lines.map((line) => `    ${line}`),
  );
}

export function text(...lines: readonly string[]): string {
  return `${lines.join('\n')}\n`;
}
