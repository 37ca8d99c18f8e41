/** Many short octets in a few buffers that change threads: none so large that its memory counts, none so small that the change does. */

/** Some of them in one. */
export interface Pieces {
  readonly octets: Uint8Array<ArrayBuffer>;
  /** Where each piece ends. */
  readonly ends: Uint32Array<ArrayBuffer>;
}

/** So much of what is sent, and no more, waits in one piece for what comes after it in the same. */
const PIECE_OCTETS = 2 ** 18;

/** Puts octets into pieces, one after the other. */
export class PieceWriter {
  readonly #written: Pieces[] = [];
  #open: Uint8Array[] = [];
  #octets = 0;

  add(octets: Uint8Array): void {
    this.#open.push(octets);
    this.#octets += octets.length;
    if (this.#octets >= PIECE_OCTETS) this.#close();
  }

  written(): Pieces[] {
    if (this.#open.length > 0) this.#close();
    return this.#written;
  }

  #close(): void {
    const octets = new Uint8Array(this.#octets);
    const ends = new Uint32Array(this.#open.length);
    let end = 0;
    for (const [at, each] of this.#open.entries()) {
      octets.set(each, end);
      end += each.length;
      ends[at] = end;
    }
    this.#written.push({ octets, ends });
    this.#open = [];
    this.#octets = 0;
  }
}

/** All that is in some pieces; the list is emptied on the way. */
export function* each(pieces: Pieces[]): Generator<Uint8Array, undefined> {
  for (let piece = pieces.shift(); piece !== undefined; piece = pieces.shift()) {
    let begin = 0;
    for (const end of piece.ends) {
      yield piece.octets.subarray(begin, end);
      begin = end;
    }
  }
  return undefined;
}
