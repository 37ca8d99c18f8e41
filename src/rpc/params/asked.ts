/** A line of the decision log as the question that it answers, ready to be asked again. */

import { z } from 'zod';
import { BY_SHA256, UNREADABLE } from '../../log/index.js';
import { REASONS, type ReasonCode } from '../../reasons.js';
import { PROFILES, type ProfileName } from '../../sip/table/index.js';
import type { AskedAgain } from '../../trust/peer/index.js';
import { isRecord } from '../../typed.js';
import type { CertificateFacts } from '../../x509/certificate/index.js';
import { parseRfc3339 } from '../../x509/der/index.js';
import { peerParams, toEvidence } from './evidence.js';

const CODES: ReadonlySet<string> = new Set(REASONS.map(({ code }) => code));

const line = z.object({
  id: z.string(),
  time: z.string(),
  verdict: z.literal(['trusted', 'untrusted', 'reject']),
  agreement: z.string(),
  reasons: z.array(z.string()),
  profile: z.custom<ProfileName>((value) => PROFILES.some(({ name }) => name === value)),
  asserts: z.array(z.string()),
  action: z.literal(['continue', 'reject', 'close']),
  code: z.number(),
  ask: z.looseObject({ status: z.literal('good').optional() }),
});

/** The question; or why it cannot be asked again. */
export type AskedLine =
  | (AskedAgain & { readonly id: string })
  | { readonly skip: 'no-peer-question' | 'older-line' | 'missing-certificate' }
  | { readonly malformed: string };

/** A certificate that was kept; undefined: it was not, or has made room. */
export type KeptReader = (sha256: string) => CertificateFacts | undefined;

/** Reads a record of the decision log. Lines about messages, and those of earlier versions, are no question. */
export function askedLine(record: unknown, kept: KeptReader): AskedLine {
  if (!isRecord(record)) return { malformed: 'expected a JSON object' };
  const { method, ask } = record;
  if (method !== 'trust.peer') return { skip: 'no-peer-question' };
  if (ask === undefined) return { skip: 'older-line' };
  const read = line.safeParse(record);
  if (!read.success) return { malformed: z.prettifyError(read.error).replaceAll('\n', '; ') };
  const at = parseRfc3339(read.data.time);
  if (at === undefined)
    return { malformed: `time: expected an RFC 3339 instant, found ${JSON.stringify(read.data.time)}` };
  const { id, verdict, agreement, reasons, profile, asserts, action, code } = read.data;
  const { status, ...asked } = read.data.ask;
  const params = peerParams.safeParse(asked);
  if (!params.success) return { malformed: `ask: ${z.prettifyError(params.error).replaceAll('\n', '; ')}` };
  let missing = false;
  const evidence = toEvidence(params.data, (text) => {
    if (text.startsWith(UNREADABLE)) return { malformed: text.slice(UNREADABLE.length) };
    const facts = text.startsWith(BY_SHA256) ? kept(text.slice(BY_SHA256.length)) : undefined;
    missing ||= facts === undefined;
    return facts ?? { malformed: 'not kept' };
  });
  if (missing) return { skip: 'missing-certificate' };
  const reason = reasons.find((each): each is ReasonCode => CODES.has(each)) ?? '';
  return {
    id,
    at,
    evidence,
    status: status ?? (reasons.includes('revoked') ? 'revoked' : 'unknown'),
    before: { verdict, agreement, reason, profile, action, code, asserts },
  };
}
