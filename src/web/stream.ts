import { refused, token } from './rpc.js';

/** One server-sent event. */
export interface Sent {
  readonly name: string;
  readonly data: string;
}

/** What is in the text whole, and what is left of it. */
export function eventsOf(text: string): { readonly events: readonly Sent[]; readonly rest: string } {
  const blocks = text.split('\n\n');
  const rest = blocks.pop() ?? '';
  const events = blocks.flatMap((block): readonly Sent[] => {
    const fields = new Map(
      block
        .split('\n')
        .map((line) => /^(\w+): (.*)$/.exec(line))
        .flatMap((found) => (found === null ? [] : [[found[1] ?? '', found[2] ?? ''] as const])),
    );
    const [name, data] = [fields.get('event'), fields.get('data')];
    return name === undefined || data === undefined ? [] : [{ name, data }];
  });
  return { events, rest };
}

/** Longest wait before the next try. */
const MOST_WAIT_MS = 10_000;

export interface Reading {
  /** Path and query. */
  readonly path: string;
  /** The id of the last event that is known; empty: none. */
  readonly last: () => string;
  readonly sent: (events: readonly Sent[]) => void;
  /** Whether it is open; else why not. */
  readonly state: (open: boolean, why: string) => void;
}

/**
 * Reads a stream until the answer is called, and opens it again when it ends. Not EventSource: that cannot show a token,
 * and one in the address would stand in logs.
 */
export function read({ path, last, sent, state }: Reading): () => void {
  const ended = new AbortController();
  const once = async (): Promise<boolean> => {
    const headers: Record<string, string> = {};
    if (token.get() !== '') headers.Authorization = `Bearer ${token.get()}`;
    if (last() !== '') headers['Last-Event-ID'] = last();
    const { signal } = ended;
    const answer = await fetch(path, { headers, signal, cache: 'no-store', credentials: 'omit' });
    if (!answer.ok || answer.body === null) {
      state(false, refused(answer.status));
      return false;
    }
    state(true, '');
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return true;
      const { events, rest } = eventsOf(text + value);
      text = rest;
      if (events.length > 0) sent(events);
    }
  };
  const always = async (): Promise<void> => {
    for (let waitMs = 500; !ended.signal.aborted; waitMs = Math.min(2 * waitMs, MOST_WAIT_MS)) {
      try {
        if (await once()) waitMs = 250;
      } catch {
        // Aborted, or siptrustd is gone: the next try tells.
        state(false, 'siptrustd does not answer');
      }
      await new Promise((next) => setTimeout(next, waitMs));
    }
  };
  void always();
  return () => ended.abort();
}
