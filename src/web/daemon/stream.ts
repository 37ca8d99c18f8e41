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

/** A stream says something every two seconds, if only that it is there. */
const SILENT_MS = 8_000;
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
  const once = async (given: AbortController, answered: () => void): Promise<boolean> => {
    const headers: Record<string, string> = {};
    if (token.get() !== '') headers.Authorization = `Bearer ${token.get()}`;
    if (last() !== '') headers['Last-Event-ID'] = last();
    // Of this try alone: one that hangs is given up.
    const signal = AbortSignal.any([ended.signal, given.signal]);
    const answer = await fetch(path, { headers, signal, cache: 'no-store', credentials: 'omit' });
    answered();
    if (!answer.ok || answer.body === null) {
      state(false, refused(answer.status));
      return false;
    }
    state(true, '');
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    let watch: ReturnType<typeof setTimeout> | undefined;
    for (;;) {
      const silent = new Promise<never>((_, reject) => {
        watch = setTimeout(() => reject(new Error('silent')), SILENT_MS);
      });
      const { done, value } = await Promise.race([reader.read(), silent]).finally(() => clearTimeout(watch));
      if (done) return true;
      const { events, rest } = eventsOf(text + value);
      text = rest;
      if (events.length > 0) sent(events);
    }
  };
  const always = async (): Promise<void> => {
    for (let waitMs = 500; !ended.signal.aborted; waitMs = Math.min(2 * waitMs, MOST_WAIT_MS)) {
      const given = new AbortController();
      const late = setTimeout(() => given.abort(), SILENT_MS);
      try {
        if (await once(given, () => clearTimeout(late))) waitMs = 250;
      } catch {
        // Ended here, or siptrustd is gone or hangs.
        if (!ended.signal.aborted) state(false, 'siptrustd does not answer');
      } finally {
        clearTimeout(late);
        given.abort();
      }
      await new Promise((next) => setTimeout(next, waitMs));
    }
  };
  void always();
  return () => ended.abort();
}
