/** The CAs that may vouch for a network: `anchors`. */

import { z } from 'zod';
import type { Agreement } from '../../trust/agreement/index.js';
import type { Material } from '../material/index.js';
import { certificateFiles, type Site } from '../reading/index.js';

export const ANCHORS = z
  .union([
    certificateFiles,
    z.strictObject({ client: certificateFiles.optional(), server: certificateFiles.optional() }),
  ])
  .describe('a list of certificate files, or a mapping {client, server} of such lists');

export type AnchorsInput = z.infer<typeof ANCHORS> | undefined;

/** The files of each role; a plain list holds for both. */
export function anchorFiles(given: AnchorsInput): {
  readonly client: readonly string[];
  readonly server: readonly string[];
} {
  if (Array.isArray(given)) return { client: given, server: given };
  return { client: given?.client ?? [], server: given?.server ?? [] };
}

/** The CAs for each role; files that hold none are reported at their place. */
export function readAnchors(given: AnchorsInput, site: Site, material: Material): Agreement['anchors'] {
  const files = anchorFiles(given);
  if (Array.isArray(given)) {
    const both = material.certificates(given, site, 'anchor');
    return { client: both, server: both };
  }
  return {
    client: material.certificates(files.client, site.at('client'), 'anchor'),
    server: material.certificates(files.server, site.at('server'), 'anchor'),
  };
}
