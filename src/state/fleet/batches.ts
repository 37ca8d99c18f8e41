/** Files of a revision, by what is fetched of them at once. */

import type { BundledFile } from '../../policy/fleet/index.js';

/** Small contents that are fetched together. */
const BATCH = { octets: 262_144, files: 500 } as const;

/** Small files together, large ones alone; each content once. */
export function* batches(files: readonly BundledFile[]): Generator<readonly BundledFile[]> {
  let batch: BundledFile[] = [];
  let octets = 0;
  for (const file of new Map(files.map((each) => [each.sha256, each])).values()) {
    if (batch.length > 0 && (octets + file.octets > BATCH.octets || batch.length === BATCH.files)) {
      yield batch;
      batch = [];
      octets = 0;
    }
    batch.push(file);
    octets += file.octets;
  }
  if (batch.length > 0) yield batch;
}
