/** A policy of the fleet: a number that only grows, and by hashes what it consists of. */

import { hash } from 'node:crypto';
import { z } from 'zod';

/** Characters of what people say of a revision. */
export const REVISION_WORDS = { author: 500, comment: 10_000 } as const;
/** Octets of all that a revision says: its files are listed elsewhere, names of agreements that are disabled stand in it. */
export const MOST_REVISION_OCTETS = 16 * 1024 * 1024;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const number = z.int().min(0).max(Number.MAX_SAFE_INTEGER);

/** Somebody whose key the nodes know stands for a revision. */
const signatureSchema = z.strictObject({
  /** Hex SHA-256 of the SubjectPublicKeyInfo. */
  key: sha256,
  /** RFC 3339, by the clock of whoever signed. Nothing is decided by it: clocks differ. */
  at: z.string().max(40),
  /** Base64. */
  value: z.string().max(200),
});

const revisionSchema = z.strictObject({
  number: number.min(1),
  /** The revision that it was made on; 0: none. */
  base: number,
  /** Path of the main file in the bundle. */
  main: z.string().min(1).max(4096),
  /** Hash of the list of files (bundle.ts). */
  tree: sha256,
  /** Agreements that are disabled whatever the files say, sorted. */
  withdrawn: z.array(z.string().min(1)),
  /** Hash of the names of all agreements, one a line as JSON: who disables one need not read the policy. */
  names: sha256,
  author: z.string().max(REVISION_WORDS.author),
  comment: z.string().max(REVISION_WORDS.comment),
  signature: signatureSchema.optional(),
});

export type Revision = z.infer<typeof revisionSchema>;
export type RevisionSignature = NonNullable<Revision['signature']>;

/** What decisions rest on; two revisions of one content decide alike. */
export type RevisionContent = Pick<Revision, 'main' | 'tree' | 'withdrawn' | 'names'>;

/** Takes what was stored as a revision. Gives in words what is wrong with it. */
export function readRevision(value: unknown): Revision | { readonly problem: string } {
  const read = revisionSchema.safeParse(value);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  return { problem: `expected a policy revision, found ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'none'}` };
}

/** Hex SHA-256 of all that decisions rest on. */
export function contentHash({ main, tree, withdrawn, names }: RevisionContent): string {
  return hash('sha256', JSON.stringify(['siptrust policy content 1', main, tree, [...withdrawn].sort(), names]));
}

/** Whether nothing but withdrawals tells them apart: no file needs to be read again. */
export function sameFiles(a: RevisionContent, b: RevisionContent): boolean {
  return a.main === b.main && a.tree === b.tree;
}
