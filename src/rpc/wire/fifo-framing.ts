/**
 * The requests in a stream of a kamctl FIFO. kamctl writes each on one line, and some of its commands over several;
 * it escapes nothing, so what it writes may be no JSON. A request ends where its line, begun with a brace or bracket,
 * ends with one, or where the brackets of several lines balance. Whatever else gathers is cut by the reader's clock.
 */

import { MAX_REQUEST_BYTES } from './listener.js';

export interface FifoFraming {
  /** Takes the next text and hands out each request that it completes. */
  push(text: string, onRequest: (text: string) => void): void;
  /** Hands out what has gathered as one (broken) request: its writer is done. */
  flush(onRequest: (text: string) => void): void;
  /** Whether text has gathered that is no request yet. */
  readonly partial: boolean;
}

/** What kamctl writes on one line; seen while another request is open, it says that the other will never be whole. */
const KAMCTL_LINE = /^\{"jsonrpc".*"reply_name".*\}$/;

/** @param maxLength longest request in characters; what is longer is handed out cut, and so is broken */
export function createFifoFraming(maxLength: number = MAX_REQUEST_BYTES): FifoFraming {
  /** Whole lines of a request that goes on. */
  let gathered = '';
  /** The line that has not ended. */
  let line = '';
  let depth = 0;
  let inString = false;

  function reset(): void {
    gathered = '';
    depth = 0;
    inString = false;
  }

  /** Follows brackets outside strings; JSON allows no line end within a string, yet kamctl may write one. */
  function follow(text: string): void {
    for (let at = 0; at < text.length; at += 1) {
      const char = text[at];
      if (inString) {
        if (char === '\\') at += 1;
        else if (char === '"') inString = false;
      } else if (char === '"') inString = true;
      else if (char === '{' || char === '[') depth += 1;
      else if (char === '}' || char === ']') depth -= 1;
    }
  }

  function lineEnds(onRequest: (text: string) => void): void {
    const whole = line;
    line = '';
    const trimmed = whole.trim();
    if (gathered === '' && trimmed === '') return;
    if (gathered !== '' && KAMCTL_LINE.test(whole)) {
      const broken = gathered;
      reset();
      onRequest(broken);
    }
    if (gathered === '' && /^[[{].*[\]}]$/.test(trimmed)) {
      onRequest(trimmed);
      return;
    }
    follow(`${whole}\n`);
    gathered += `${whole}\n`;
    if (!inString && depth <= 0) {
      const request = gathered;
      reset();
      onRequest(request);
    }
  }

  return {
    push(text, onRequest) {
      let at = 0;
      while (at < text.length) {
        const newline = text.indexOf('\n', at);
        const end = newline === -1 ? text.length : newline;
        line += text.slice(at, end);
        at = end + 1;
        if (gathered.length + line.length > maxLength) this.flush(onRequest);
        else if (newline !== -1) lineEnds(onRequest);
      }
    },
    flush(onRequest) {
      const request = gathered + line;
      line = '';
      reset();
      if (request.trim() !== '') onRequest(request);
    },
    get partial() {
      return gathered !== '' || line !== '';
    },
  };
}
