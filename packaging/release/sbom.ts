/** The list of what a release is made of (CycloneDX, by `npm sbom`), as the same commit always gives it. */

import { createHash } from 'node:crypto';

interface Bom {
  readonly serialNumber?: string;
  readonly metadata?: { readonly timestamp?: string; readonly component?: Readonly<Record<string, unknown>> };
  readonly components?: readonly { readonly 'bom-ref'?: string }[];
  readonly dependencies?: readonly { readonly ref?: string }[];
}

/**
 * npm draws a serial number, writes the time of day, and takes the name of the directory for that of the program. Here they
 * come from the commit.
 * @param epoch seconds
 */
export function settledSbom(
  text: string,
  { commit, epoch }: { readonly commit: string; readonly epoch: number },
): string {
  const bom = JSON.parse(text) as Bom;
  const component = bom.metadata?.component;
  if (component === undefined || bom.components === undefined) {
    throw new Error(`npm sbom: expected metadata.component and components, found ${Object.keys(bom).join(', ')}`);
  }
  const settled = {
    ...bom,
    serialNumber: `urn:uuid:${uuidOf(commit)}`,
    metadata: {
      ...bom.metadata,
      timestamp: new Date(epoch * 1000).toISOString(),
      component: { ...component, type: 'application', name: 'siptrust' },
    },
    components: [...bom.components].sort(by('bom-ref')),
    ...(bom.dependencies === undefined ? {} : { dependencies: [...bom.dependencies].sort(by('ref')) }),
  };
  return `${JSON.stringify(settled, null, 2)}\n`;
}

function by<Key extends string>(key: Key) {
  return (a: Readonly<Partial<Record<Key, string>>>, b: Readonly<Partial<Record<Key, string>>>): number =>
    (a[key] ?? '') < (b[key] ?? '') ? -1 : 1;
}

/** A UUID of version 8 (RFC 9562 §5.8) from a digest of the commit. */
function uuidOf(commit: string): string {
  const bytes = createHash('sha256').update(`siptrust ${commit}`).digest().subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
