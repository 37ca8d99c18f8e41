import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { ask } from './rpc.js';

export interface Asked<Result> {
  readonly result: Result | undefined;
  /** Why the last question was not answered; the result is then that of an earlier one. */
  readonly failed: string;
  readonly again: () => void;
}

/** Asks now, when the question changes, and every so often while the page is seen. */
export function useAnswer<Result>(method: string, params: object = {}, everyMs = 0): Asked<Result> {
  const text = JSON.stringify(params);
  const key = `${method} ${text}`;
  const [state, setState] = useState<{ key: string; result: Result | undefined; failed: string }>({
    ...{ key, result: undefined, failed: '' },
  });
  // An answer to a question of before comes too late.
  const current = useRef(key);
  current.current = key;
  const again = useCallback(() => {
    ask<Result>(method, JSON.parse(text)).then(
      (result) => current.current === key && setState({ key, result, failed: '' }),
      (error: unknown) =>
        current.current === key && setState((before) => ({ ...before, key, failed: messageOf(error) })),
    );
  }, [method, text, key]);
  useEffect(() => {
    again();
    if (everyMs === 0) return;
    const timer = setInterval(() => document.visibilityState === 'visible' && again(), everyMs);
    return () => clearInterval(timer);
  }, [again, everyMs]);
  return { result: state.result, failed: state.failed, again };
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
