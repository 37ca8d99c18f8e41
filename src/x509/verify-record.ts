/**
 * One path check as a JSON record, for `siptrustctl verify` and `cert.verify`:
 * `{leaf, intermediates[], anchors[], crls[], at, purpose, names[], max_depth?, revocation?}` -> `{ok, reason, detail}`.
 *
 * Whatever the record holds, there is an answer. The check is strict (rules.ts): the question is whether the
 * certificates are right, not whether one peer may be talked to.
 */

import { type Finding, type ReasonCode, ranked } from '../reasons.js';
import { MalformedCertificate, parseCertificate } from './certificate.js';
import { type CrlFacts, MalformedCrl, parseCrl } from './crl.js';
import type { CertificateFacts } from './facts.js';
import { type PathInput, verifyPath } from './path.js';
import type { RevocationMode } from './path-check.js';
import type { PeerName } from './peer-name.js';
import { MalformedPem, readPem } from './pem.js';

export interface RecordAnswer {
  readonly ok: boolean;
  /** The most telling reason; empty where `ok`. */
  readonly reason: ReasonCode | '';
  /** What was found, for people: of a path that holds, its names. */
  readonly detail: string;
}

/** Findings that are told: thousands of lists or certificates can each have something wrong with them. */
const MOST_FINDINGS = 24;

/** The record is not of the form that the contract asks for. */
class BadRecord extends Error {}

/** Judges one record. Never throws. */
export function verifyRecord(record: unknown): RecordAnswer {
  try {
    return judge(record);
  } catch (cause) {
    if (cause instanceof BadRecord) return { ok: false, reason: 'bad-input', detail: cause.message };
    const detail = `the check failed by itself: ${cause instanceof Error ? cause.message : String(cause)}`;
    return { ok: false, reason: 'internal-error', detail };
  }
}

function judge(record: unknown): RecordAnswer {
  if (typeof record !== 'object' || record === null || Array.isArray(record)) {
    throw new BadRecord(`record: expected an object, found ${kindOf(record)}`);
  }
  const fields = record as Readonly<Record<string, unknown>>;
  const asked = readQuestion(fields);
  const unread: Finding[] = [];
  const [leaf, ...sent] = readCertificates('leaf', [textOf('leaf', fields.leaf)], unread);
  if (leaf === undefined) return answer(unread);
  const intermediates = readCertificates('intermediates', textsOf('intermediates', fields.intermediates), unread);
  const anchors = readCertificates('anchors', textsOf('anchors', fields.anchors), unread);
  const crlTexts = textsOf('crls', fields.crls);
  const crls = readCrls(crlTexts, unread);
  const result = verifyPath({
    ...asked,
    leaf,
    intermediates: [...intermediates, ...sent],
    anchors,
    crls,
    revocation: asked.revocation ?? (crlTexts.length > 0 ? 'hard' : 'off'),
    strict: true,
  });
  if (!result.ok) return answer([...result.findings, ...unread]);
  const path = result.path.map(({ subjectText }) => subjectText || '(empty name)').join(' <- ');
  return { ok: true, reason: '', detail: [path, ...result.findings.map(({ detail }) => detail)].join('; ') };
}

function answer(findings: readonly Finding[]): RecordAnswer {
  const sorted = ranked(findings);
  const told = sorted.slice(0, MOST_FINDINGS).map(({ code, detail: text }) => `${code}: ${text}`);
  if (sorted.length > MOST_FINDINGS) told.push(`and ${sorted.length - MOST_FINDINGS} more`);
  const detail = told.join('; ');
  return { ok: false, reason: sorted[0]?.code ?? 'internal-error', detail };
}

/** The part of the record that is no certificate. */
function readQuestion(
  fields: Readonly<Record<string, unknown>>,
): Pick<PathInput, 'at' | 'purpose' | 'names' | 'maxDepth'> & { readonly revocation: RevocationMode | undefined } {
  return {
    at: readInstant(fields.at),
    purpose: oneOf('purpose', fields.purpose, ['client', 'server', 'any']),
    names: listOf('names', fields.names).map(readName),
    maxDepth: readDepth(fields.max_depth),
    revocation: absent(fields.revocation)
      ? undefined
      : oneOf<RevocationMode>('revocation', fields.revocation, ['hard', 'soft', 'off']),
  };
}

const absent = (value: unknown): value is undefined | null => value === undefined || value === null;

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'an array' : `a ${typeof value}`;
}

function oneOf<Choice extends string>(field: string, value: unknown, choices: readonly Choice[]): Choice {
  const choice = choices.find((known) => known === value);
  if (choice !== undefined) return choice;
  const found = typeof value === 'string' ? JSON.stringify(value.slice(0, 40)) : kindOf(value);
  throw new BadRecord(`${field}: expected ${choices.join(', ')}, found ${found}`);
}

const RFC_3339 = /^(\d{4})-(\d{2})-(\d{2})[Tt ](\d{2}):(\d{2}):(\d{2})(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/;

/** RFC 3339 §5.6, to milliseconds. */
function readInstant(value: unknown): number {
  const text = typeof value === 'string' ? value : '';
  const match = RFC_3339.exec(text);
  const instant = match === null ? Number.NaN : Date.parse(text.replace(' ', 'T').toUpperCase());
  // Date takes 31 February for 3 March.
  const day =
    match === null ? 0 : new Date(Date.UTC(Number(match[1]), Number(match[2]) - 1, Number(match[3]))).getUTCDate();
  if (!Number.isFinite(instant) || day !== Number(match?.[3])) {
    const found = typeof value === 'string' ? JSON.stringify(text.slice(0, 40)) : kindOf(value);
    throw new BadRecord(`at: expected a time of RFC 3339, found ${found}`);
  }
  return instant;
}

function readDepth(value: unknown): number | undefined {
  if (absent(value)) return undefined;
  const depth = typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value;
  if (typeof depth === 'number' && Number.isInteger(depth) && depth >= 0) return depth;
  throw new BadRecord(
    `max_depth: expected a number of intermediates from 0, found ${JSON.stringify(value)?.slice(0, 40)}`,
  );
}

function readName(value: unknown, index: number): PeerName {
  const entries = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  const [kind, text] = entries[0] ?? [];
  if (entries.length === 1 && typeof text === 'string') {
    switch (kind) {
      case 'dns':
        return { dns: text };
      case 'ip':
        return { ip: text };
      case 'uri':
        return { uri: text };
      case 'email':
        return { email: text };
    }
  }
  const found = entries.length === 0 ? kindOf(value) : `{${entries.map(([key]) => key).join(', ')}}`;
  throw new BadRecord(`names[${index}]: expected {dns}, {ip}, {uri} or {email} with a string, found ${found}`);
}

function listOf(field: string, value: unknown): readonly unknown[] {
  if (absent(value)) return [];
  if (Array.isArray(value)) return value;
  throw new BadRecord(`${field}: expected an array, found ${kindOf(value)}`);
}

function textOf(field: string, value: unknown): string {
  if (typeof value === 'string') return value;
  throw new BadRecord(`${field}: expected PEM as a string, found ${kindOf(value)}`);
}

function textsOf(field: string, value: unknown): readonly string[] {
  return listOf(field, value).map((text, index) => textOf(`${field}[${index}]`, text));
}

/** What cannot be read is left out and told: it can only be missing from a path, never complete one. */
function readCertificates(field: string, texts: readonly string[], unread: Finding[]): readonly CertificateFacts[] {
  return texts.flatMap((text, index) => {
    const where = field === 'leaf' ? field : `${field}[${index}]`;
    try {
      return readPem(text).flatMap((der) => readOne(where, der, unread));
    } catch (cause) {
      if (!(cause instanceof MalformedPem)) throw cause;
      unread.push({ code: 'malformed-cert', detail: `${where}: ${cause.message}` });
      return [];
    }
  });
}

function readOne(where: string, der: Uint8Array, unread: Finding[]): readonly CertificateFacts[] {
  try {
    return [parseCertificate(der)];
  } catch (cause) {
    if (!(cause instanceof MalformedCertificate)) throw cause;
    unread.push({ code: cause.code, detail: `${where}: ${cause.message}` });
    return [];
  }
}

function readCrls(texts: readonly string[], unread: Finding[]): readonly CrlFacts[] {
  return texts.flatMap((text, index) => {
    try {
      return readPem(text, 'X509 CRL').map((der) => parseCrl(der));
    } catch (cause) {
      if (!(cause instanceof MalformedPem || cause instanceof MalformedCrl)) throw cause;
      unread.push({ code: 'crl-scope', detail: `crls[${index}]: ${cause.message}` });
      return [];
    }
  });
}
