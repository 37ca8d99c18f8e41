/**
 * The first `most` characters, as a text of its own: V8 lets a slice point into the whole text, which a certificate may
 * make 64 KiB long and which would be kept as long as the slice.
 */
export function startOf(text: string, most: number): string {
  return Buffer.from(text.slice(0, most)).toString();
}
