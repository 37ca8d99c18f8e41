/** Path questions as records of `siptrustctl verify`: what is not readable may stand anywhere in them. */

import { describe, expect, it } from 'vitest';
import { type RecordAnswer, verifyRecord } from '../../src/x509/path/verify-record.js';
import { NOW } from './certificates.js';

type Pem = { readonly pem: string };

export interface RecordCase {
  readonly leaf: Pem;
  readonly via?: readonly Pem[];
  readonly anchors: readonly Pem[];
  readonly crls?: readonly Pem[];
  readonly names?: readonly Record<string, string>[];
  readonly purpose?: 'client' | 'server' | 'any';
  /** Milliseconds since 1970, or text. */
  readonly at?: number | string;
  readonly depth?: number;
  readonly revocation?: 'hard' | 'soft' | 'off';
}

export function answerCase(asked: RecordCase): RecordAnswer {
  const { at = NOW } = asked;
  return verifyRecord({
    leaf: asked.leaf.pem,
    intermediates: (asked.via ?? []).map(({ pem }) => pem),
    anchors: asked.anchors.map(({ pem }) => pem),
    crls: (asked.crls ?? []).map(({ pem }) => pem),
    at: typeof at === 'string' ? at : new Date(at).toISOString(),
    purpose: asked.purpose ?? 'server',
    names: asked.names ?? [],
    ...(asked.depth === undefined ? {} : { max_depth: asked.depth }),
    ...(asked.revocation === undefined ? {} : { revocation: asked.revocation }),
  });
}

/** `ok/...` cases hold; `fail/...` cases fail with this code. The name ends with the clause. */
export type RecordRow =
  | readonly [name: `ok/${string}`, make: () => RecordCase]
  | readonly [name: `fail/${string}`, code: string, make: () => RecordCase];

export function describeRecords(title: string, rows: readonly RecordRow[]): void {
  describe(title, () => {
    it.each(rows.map((row) => [row[0], row] as const))('%s', (_name, row) => {
      const answer = answerCase((row[row.length - 1] as () => RecordCase)());
      expect(answer.ok ? 'ok' : answer.reason, answer.detail).toBe(row.length === 2 ? 'ok' : row[1]);
    });
  });
}
