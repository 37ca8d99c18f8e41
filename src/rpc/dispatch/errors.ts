/** The errors of JSON-RPC 2.0 §5.1, and those of siptrust in the range left to servers (-32000 to -32099). */

export const RPC_ERRORS = {
  'parse-error': { code: -32700, message: 'Parse error' },
  'invalid-request': { code: -32600, message: 'Invalid Request' },
  'method-not-found': { code: -32601, message: 'Method not found' },
  'invalid-params': { code: -32602, message: 'Invalid params' },
  'internal-error': { code: -32603, message: 'Internal error' },
  /** The params are well formed, and name something that does not exist (an agreement, a pin). */
  'not-found': { code: -32001, message: 'Not found' },
  /** The daemon cannot do it at present: no policy, a reload that failed. */
  unavailable: { code: -32002, message: 'Unavailable' },
  /** The method asks for a role that the caller has not shown. What would help is nothing that a stranger needs to know. */
  forbidden: { code: -32003, message: 'Forbidden' },
} as const;

export type RpcErrorName = keyof typeof RPC_ERRORS;

/** The error member of a response. */
export interface ErrorObject {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

/** Thrown by a method to answer an error; anything else that a method throws is answered as an internal error. */
export class RpcError extends Error {
  readonly code: number;
  readonly data: unknown;

  /** @param data goes to the caller as it is: a sentence, or the subject with what was expected and found. */
  constructor(
    readonly kind: RpcErrorName,
    data?: unknown,
  ) {
    super(RPC_ERRORS[kind].message);
    this.name = 'RpcError';
    this.code = RPC_ERRORS[kind].code;
    this.data = data;
  }

  toObject(): ErrorObject {
    const { code, message } = this;
    return this.data === undefined ? { code, message } : { code, message, data: this.data };
  }
}

/** The response to something whose id is not known: JSON-RPC 2.0 §5 wants null. */
export function errorText({ code, message, data }: ErrorObject): string {
  return JSON.stringify({ jsonrpc: '2.0', error: { code, message, data }, id: null });
}
