/** JSON-RPC to the listener that served this page, with the credential of whoever looks at it. */

export class Failed extends Error {
  /** HTTP status, or the code of JSON-RPC where the status is 200. */
  readonly code: number;
  constructor(code: number, text: string) {
    super(text);
    this.code = code;
  }
}

/** Kept until the tab is closed, and for this origin alone. */
const KEPT = 'siptrust-token';

export const token = {
  get: (): string => sessionStorage.getItem(KEPT) ?? '',
  set: (text: string): void => sessionStorage.setItem(KEPT, text),
  clear: (): void => sessionStorage.removeItem(KEPT),
};

/** A siptrustd that hangs takes connections and does not answer. */
const LONGEST_MS = 10_000;

let listener: () => void = () => {};
/** Told when the credential is not taken any more. */
export function onRefused(told: () => void): void {
  listener = told;
}

interface Response {
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown };
}

/** @throws {Failed} no answer, a refusal, or an answer that is an error */
export async function ask<Result>(method: string, params: object = {}): Promise<Result> {
  const bearer = token.get();
  const headers: Record<string, string> = { 'Content-Type': 'application/json' };
  if (bearer !== '') headers.Authorization = `Bearer ${bearer}`;
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
  let answer: globalThis.Response;
  try {
    const signal = AbortSignal.timeout(LONGEST_MS);
    answer = await fetch('/rpc', { method: 'POST', headers, body, signal, cache: 'no-store', credentials: 'omit' });
  } catch {
    throw new Failed(0, 'siptrustd does not answer');
  }
  if (answer.status !== 200) throw new Failed(answer.status, refused(answer.status));
  const { result, error } = (await answer.json()) as Response;
  if (error !== undefined) throw new Failed(error.code, told(error));
  return result as Result;
}

const REFUSED: Readonly<Record<number, string>> = {
  401: 'The credential is not taken.',
  403: 'This credential may not ask that.',
  429: 'Too many wrong credentials: wait a minute.',
  503: 'Too many look on: another page has to be closed first.',
};

/** What a status other than 200 means; a token that is not taken any more leads to the door. */
export function refused(status: number): string {
  if (status === 401 && token.get() !== '') listener();
  return REFUSED[status] ?? `HTTP status ${status}`;
}

function told({ message, data }: NonNullable<Response['error']>): string {
  if (data === undefined) return message;
  return `${message}: ${typeof data === 'string' ? data : JSON.stringify(data)}`;
}
