/** What may stand behind a key of the policy file, whichever section it is of. */

import type { z } from 'zod';
import type { Material } from '../material/index.js';
import type { Site } from '../reading/index.js';

/** What may stand behind a key, and what becomes of it. */
export interface Kind<Value = unknown, Shape extends z.ZodType = z.ZodType> {
  /** With the words for "expected ...". */
  readonly shape: Shape;
  /** What may stand there, in the words of docs/policy.md. */
  readonly values: string;
  /** What it means. What is wrong is reported at `site`, which is that of the key. */
  read(given: z.infer<Shape>, site: Site, material: Material): Value;
  /** A value as docs/policy.md writes it where it is the default. */
  said(value: Value): string;
}

/** A kind, with the types that follow from its shape. */
export function kind<Value, Shape extends z.ZodType>(made: Kind<Value, Shape>): Kind<Value, Shape> {
  return made;
}
