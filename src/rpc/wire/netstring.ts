/**
 * Netstrings, `68:{"jsonrpc":...},`: the framing that Kamailio's janssonrpcc and jsonrpcc speak. A parser that is a
 * state machine over bytes and knows no sockets; definition: cr.yp.to/proto/netstrings.txt.
 */

import { MAX_REQUEST_BYTES } from './listener.js';

export type NetstringErrorCode = 'no-length' | 'leading-zero' | 'no-colon' | 'too-long' | 'no-comma';

/** After it the stream has no meaning any more: nothing tells where the next frame starts. */
export interface NetstringError {
  readonly code: NetstringErrorCode;
  readonly expected: string;
  readonly found: string;
}

export interface NetstringParser {
  /**
   * Takes the next bytes, in whatever pieces they come, and hands out each frame that they complete. A frame may be
   * a view into the chunk; nothing of the chunk is needed after the call. After an error it takes nothing more and returns the same error.
   */
  push(chunk: Buffer, onFrame: (frame: Buffer) => void): NetstringError | undefined;
  /** Whether the bytes so far end within a frame. */
  readonly partial: boolean;
}

const DIGIT_0 = 0x30;
const COLON = 0x3a;
const COMMA = 0x2c;
/** First allocation for a frame that comes in pieces; it doubles, so a mere announcement of 1 MiB costs nothing. */
const FIRST_PIECE = 4096;

/** @param maxBytes longest frame; a longer one is refused as soon as its length is read */
export function createNetstringParser(maxBytes: number = MAX_REQUEST_BYTES): NetstringParser {
  let state: 'start' | 'length' | 'body' | 'comma' = 'start';
  let length = 0;
  /** The frame so far; within the chunk where it came whole, else in memory of its own. */
  let frame: Buffer | undefined;
  let filled = 0;
  let failure: NetstringError | undefined;

  function fail(code: NetstringErrorCode, expected: string, found: string): NetstringError {
    frame = undefined;
    failure = { code, expected, found };
    return failure;
  }

  /** Copies a piece of a frame that comes in several. */
  function keep(piece: Buffer): void {
    const needed = filled + piece.length;
    if (frame === undefined || frame.length < needed) {
      const size = Math.min(length, Math.max(FIRST_PIECE, needed, (frame?.length ?? 0) * 2));
      const larger = Buffer.allocUnsafeSlow(size);
      frame?.copy(larger, 0, 0, filled);
      frame = larger;
    }
    piece.copy(frame, filled);
    filled = needed;
  }

  /** One byte of a length, or the colon after it. */
  function lengthByte(byte: number): NetstringError | undefined {
    if (isDigit(byte)) {
      if (state === 'length' && length === 0) return fail('leading-zero', 'a length without leading zeros', '0 first');
      length = length * 10 + byte - DIGIT_0;
      if (length > maxBytes) return fail('too-long', `at most ${maxBytes} bytes`, `a length of ${length} or more`);
      state = 'length';
      return undefined;
    }
    if (state === 'start') return fail('no-length', 'a decimal length', byteText(byte));
    if (byte !== COLON) return fail('no-colon', 'a colon after the length', byteText(byte));
    state = 'body';
    return undefined;
  }

  return {
    push(chunk, onFrame) {
      if (failure !== undefined) return failure;
      let at = 0;
      while (at < chunk.length) {
        if (state === 'start' || state === 'length') {
          const error = lengthByte(chunk[at] ?? 0);
          if (error !== undefined) return error;
          at += 1;
        } else if (state === 'body') {
          const end = Math.min(chunk.length, at + length - filled);
          if (frame === undefined && end - at === length && end < chunk.length) {
            frame = chunk.subarray(at, end);
            filled = length;
          } else {
            keep(chunk.subarray(at, end));
          }
          at = end;
          if (filled === length) state = 'comma';
        } else {
          const byte = chunk[at] ?? 0;
          if (byte !== COMMA) return fail('no-comma', `a comma after ${length} bytes`, byteText(byte));
          at += 1;
          const complete = frame ?? chunk.subarray(0, 0);
          state = 'start';
          length = 0;
          filled = 0;
          frame = undefined;
          onFrame(complete);
        }
      }
      return undefined;
    },
    get partial() {
      return state !== 'start';
    },
  };
}

/** The frame of one text. */
export function netstring(text: string): string {
  return `${Buffer.byteLength(text)}:${text},`;
}

function isDigit(byte: number): boolean {
  return byte >= DIGIT_0 && byte <= DIGIT_0 + 9;
}

function byteText(byte: number): string {
  return byte > 0x20 && byte < 0x7f ? `"${String.fromCharCode(byte)}"` : `byte 0x${byte.toString(16).padStart(2, '0')}`;
}
