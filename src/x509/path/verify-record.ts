/**
 * One path check as a JSON record, for `siptrustctl verify` and `cert.verify`:
 * `{leaf, intermediates[], anchors[], crls[], at, purpose, names[], max_depth?, revocation?}` -> `{ok, reason, detail}`.
 *
 * Whatever the record holds, there is an answer. The check is strict (rules.ts): the question is whether the
 * certificates are right, not whether one peer may be talked to.
 */

import { type Finding, type ReasonCode, ranked } from '../../reasons.js';
import { isRecord } from '../../typed.js';
import {
  type CertificateFacts,
  certificateName,
  MalformedCertificate,
  parseCertificate,
} from '../certificate/index.js';
import { INSTANT_FORM, MalformedPem, parseRfc3339, readPem } from '../der/index.js';
import type { PeerName } from '../identity/index.js';
import { type CrlFacts, MalformedCrl, parseCrlInSteps } from '../revocation/index.js';
import { verifyPath } from './path.js';
import type { RevocationMode } from './path-check.js';
import type { PathInput } from './path-question.js';

export interface RecordAnswer {
  readonly ok: boolean;
  /** The most telling reason; empty where `ok`. */
  readonly reason: ReasonCode | '';
  /** What was found, for people: of a path that holds, its names. */
  readonly detail: string;
}

/** Findings that are told: thousands of lists or certificates can each have something wrong with them. */
const MOST_FINDINGS = 24;

/**
 * What one record may hold. Reading takes some 20 µs a certificate and 10 ms a MiB of a list; the search has a budget of
 * its own (budget.ts).
 */
const LIMITS = {
  certificates: 3_000,
  /** Characters of all certificates, and of all lists. */
  certificateText: 8 * 2 ** 20,
  lists: 1_000,
  listText: 88 * 2 ** 20,
  names: 100,
  nameText: 1_024,
} as const;

/** The record is not of the form that the contract asks for. */
class BadRecord extends Error {}

/** Judges one record. Never throws. */
export function verifyRecord(record: unknown): RecordAnswer {
  const steps = verifyRecordInSteps(record);
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/** The same, and yields between certificates and within lists: a daemon has others to answer meanwhile. */
export function* verifyRecordInSteps(record: unknown): Generator<undefined, RecordAnswer> {
  try {
    return yield* judge(record);
  } catch (cause) {
    if (cause instanceof BadRecord) return { ok: false, reason: 'bad-input', detail: cause.message };
    const detail = `the check failed by itself: ${cause instanceof Error ? cause.message : String(cause)}`;
    return { ok: false, reason: 'internal-error', detail };
  }
}

function* judge(record: unknown): Generator<undefined, RecordAnswer> {
  if (!isRecord(record)) {
    throw new BadRecord(`record: expected an object, found ${kindOf(record)}`);
  }
  const asked = readQuestion(record);
  const texts = {
    leaf: [textOf('leaf', record.leaf)],
    intermediates: textsOf('intermediates', record.intermediates),
    anchors: textsOf('anchors', record.anchors),
    crls: textsOf('crls', record.crls),
  };
  limit('certificates', [...texts.leaf, ...texts.intermediates, ...texts.anchors], LIMITS.certificateText);
  limit('crls', texts.crls, LIMITS.listText);
  if (texts.crls.length > LIMITS.lists) {
    throw new BadRecord(`crls: expected at most ${LIMITS.lists} lists, found ${texts.crls.length}`);
  }
  const unread: Finding[] = [];
  const count = new CertificateCount();
  const [leaf, ...sent] = yield* readCertificates('leaf', texts.leaf, count, unread);
  if (leaf === undefined) return answer(unread);
  const intermediates = yield* readCertificates('intermediates', texts.intermediates, count, unread);
  const anchors = yield* readCertificates('anchors', texts.anchors, count, unread);
  const crls = yield* readCrls(texts.crls, unread);
  const result = verifyPath({
    ...asked,
    leaf,
    intermediates: [...intermediates, ...sent],
    anchors,
    crls,
    revocation: asked.revocation ?? (texts.crls.length > 0 ? 'hard' : 'off'),
    strict: true,
  });
  if (!result.ok) return answer([...result.findings, ...unread]);
  const path = result.path.map(certificateName).join(' <- ');
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
    names: readNames(fields.names),
    maxDepth: readDepth(fields.max_depth),
    revocation: absent(fields.revocation)
      ? undefined
      : oneOf<RevocationMode>('revocation', fields.revocation, ['hard', 'soft', 'off']),
  };
}

const absent = (value: unknown): value is undefined | null => value === undefined || value === null;

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

function oneOf<Choice extends string>(field: string, value: unknown, choices: readonly Choice[]): Choice {
  const choice = choices.find((known) => known === value);
  if (choice !== undefined) return choice;
  const found = typeof value === 'string' ? JSON.stringify(value.slice(0, 40)) : kindOf(value);
  throw new BadRecord(`${field}: expected ${choices.join(', ')}, found ${found}`);
}

function readInstant(value: unknown): number {
  const instant = typeof value === 'string' ? parseRfc3339(value) : undefined;
  if (instant !== undefined) return instant;
  const found = typeof value === 'string' ? JSON.stringify(value.slice(0, 40)) : kindOf(value);
  throw new BadRecord(`at: expected ${INSTANT_FORM}, found ${found}`);
}

function readDepth(value: unknown): number | undefined {
  if (absent(value)) return undefined;
  const depth = typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value;
  if (typeof depth === 'number' && Number.isInteger(depth) && depth >= 0) return depth;
  throw new BadRecord(
    `max_depth: expected a number of intermediates from 0, found ${JSON.stringify(value)?.slice(0, 40)}`,
  );
}

function readNames(value: unknown): readonly PeerName[] {
  const names = listOf('names', value);
  if (names.length <= LIMITS.names) return names.map(readName);
  throw new BadRecord(`names: expected at most ${LIMITS.names}, found ${names.length}`);
}

function readName(value: unknown, index: number): PeerName {
  const entries = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  const [kind, text] = entries[0] ?? [];
  if (entries.length === 1 && typeof text === 'string') {
    if (text.length > LIMITS.nameText) {
      throw new BadRecord(`names[${index}]: expected at most ${LIMITS.nameText} characters, found ${text.length}`);
    }
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
  const found =
    entries.length === 0
      ? kindOf(value)
      : `{${entries
          .slice(0, 8)
          .map(([key]) => key.slice(0, 40))
          .join(', ')}}`;
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

function limit(field: string, texts: readonly string[], most: number): void {
  const characters = texts.reduce((sum, { length }) => sum + length, 0);
  if (characters > most) throw new BadRecord(`${field}: expected at most ${most} characters, found ${characters}`);
}

/** Certificates of a record so far: one text may hold many. */
class CertificateCount {
  #read = 0;

  next(): void {
    if (++this.#read <= LIMITS.certificates) return;
    throw new BadRecord(`certificates: expected at most ${LIMITS.certificates}, found more`);
  }
}

/** What cannot be read is left out and told: it can only be missing from a path, never complete one. */
function* readCertificates(
  field: string,
  texts: readonly string[],
  count: CertificateCount,
  unread: Finding[],
): Generator<undefined, readonly CertificateFacts[]> {
  const certificates: CertificateFacts[] = [];
  for (const [index, text] of texts.entries()) {
    const where = field === 'leaf' ? field : `${field}[${index}]`;
    try {
      for (const der of readPem(text)) {
        count.next();
        certificates.push(...readOne(where, der, unread));
        yield;
      }
    } catch (cause) {
      if (!(cause instanceof MalformedPem)) throw cause;
      count.next();
      unread.push({ code: 'malformed-cert', detail: `${where}: ${cause.message}` });
    }
  }
  return certificates;
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

function* readCrls(texts: readonly string[], unread: Finding[]): Generator<undefined, readonly CrlFacts[]> {
  const lists: CrlFacts[] = [];
  for (const [index, text] of texts.entries()) {
    try {
      for (const der of readPem(text, 'X509 CRL')) lists.push(yield* parseCrlInSteps(der));
    } catch (cause) {
      if (!(cause instanceof MalformedPem || cause instanceof MalformedCrl)) throw cause;
      unread.push({ code: 'crl-scope', detail: `crls[${index}]: ${cause.message}` });
    }
    yield;
  }
  return lists;
}
