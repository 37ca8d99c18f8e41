/** Pins, as policies write them. */

import type { Site } from '../reading/index.js';

/** SHA-256 of a SubjectPublicKeyInfo: 32 bytes in padded base64. What is none, or stands there twice, is reported. */
export function pinHashes(pins: readonly string[], site: Site): readonly string[] {
  const hashes = new Set<string>();
  for (const [index, pin] of pins.entries()) {
    const hash = /^sha256\/([A-Za-z0-9+/]{43}=)$/.exec(pin)?.[1];
    if (hash === undefined || Buffer.from(hash, 'base64').toString('base64') !== hash) {
      const expected = 'expected sha256/ and the 44 characters of a base64 SHA-256 of the SubjectPublicKeyInfo';
      site.at(index).report('bad-pin', `${expected}, found ${JSON.stringify(pin)}`);
    } else if (hashes.has(hash)) {
      site.at(index).report('repeated-value', `${pin} stands in this list already`);
    } else {
      hashes.add(hash);
    }
  }
  return [...hashes];
}
