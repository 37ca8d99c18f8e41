/** Path questions over issued certificates, with the defaults that most cases share. */

import { expect } from 'vitest';
import { verifyPath } from '../../src/x509/path/path.js';
import type { PathInput, PathResult } from '../../src/x509/path/path-question.js';
import { type Issued, type IssuedCrl, NOW } from './certificates.js';

export interface PathCase {
  readonly leaf: Issued;
  readonly via?: readonly Issued[];
  readonly anchors: readonly Issued[];
  readonly crls?: readonly IssuedCrl[];
  readonly ask?: Partial<Omit<PathInput, 'leaf' | 'intermediates' | 'anchors' | 'crls'>>;
}

/** Strict, as a TLS server, nobody named; hard revocation where lists are given. */
export function judgePath({ leaf, via = [], anchors, crls = [], ask = {} }: PathCase): PathResult {
  return verifyPath({
    leaf: leaf.facts,
    intermediates: via.map(({ facts }) => facts),
    anchors: anchors.map(({ facts }) => facts),
    crls: crls.map(({ facts }) => facts),
    at: NOW,
    purpose: 'server',
    names: [],
    revocation: crls.length > 0 ? 'hard' : 'off',
    strict: true,
    ...ask,
  });
}

/** `ok/...` cases hold; `fail/...` cases fail with this code first. */
export type PathRow =
  | readonly [name: `ok/${string}`, make: () => PathCase]
  | readonly [name: `fail/${string}`, code: string, make: () => PathCase];

export function expectPath(row: PathRow): PathResult {
  const make = row[row.length - 1] as () => PathCase;
  const result = judgePath(make());
  const told = result.ok ? 'ok' : `${result.findings[0]?.code}`;
  expect(told, result.findings.map(({ code, detail }) => `${code}: ${detail}`).join('\n')).toBe(
    row.length === 2 ? 'ok' : row[1],
  );
  return result;
}
