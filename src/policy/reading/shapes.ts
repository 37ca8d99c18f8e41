/** Shapes that many keys of the policy file share; each describes itself in the words for "expected ...". */

import { z } from 'zod';

export const word = (expected: string) => z.string().min(1).describe(expected);
export const words = (expected: string) => z.array(word(expected)).describe(`a list, each entry ${expected}`);
export const someWords = (expected: string) =>
  z.array(word(expected)).min(1).describe(`a list, each entry ${expected}`);
export const flag = z.boolean().describe('true or false');
export const certificateFiles = someWords('the path of a certificate file');
