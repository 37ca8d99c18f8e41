/**
 * JSON-RPC 2.0, all of it: one request text in, one response text out.
 *
 * jayson checks a request object, calls the method and shapes the response. Five things are done here, because jayson
 * does them otherwise: a method that there is not (it says nothing of what was meant), a batch (it never answers one that holds an array), a request whose id is null (it takes that
 * for a notification; JSON-RPC 2.0 §4 makes it a request, answered with id null), a handler that throws (it lets the
 * exception out), and a JSON text that is a string (it would parse the string again).
 */

import { isUtf8 } from 'node:buffer';
import jayson from 'jayson';
import { nearest } from '../../policy/reading/index.js';
import { includesRole } from '../../policy/settings/index.js';
import { quoted } from '../../printable.js';
import { isRecord } from '../../typed.js';
import { errorText, RPC_ERRORS, RpcError } from './errors.js';
import { type CallContext, JsonText, type Method } from './method.js';
import { parseStrictJson, RepeatedMember } from './strict-json.js';

/** Most requests that one batch may hold. */
const BATCH_LIMIT = 100;

const LONGEST_CLAIM = 64;

/** The response text; undefined where there is none to send (notifications, JSON-RPC 2.0 §4.1). */
export type Answer = string | undefined | Promise<string | undefined>;

/**
 * Writes what came of one request that was no JSON text, as the wire has it: the result, or the code of the error. Throws for
 * no code; where it throws for a result, the answer is what it writes for internal-error.
 */
export type Write = (result: unknown, code: number | undefined) => string;

/** A request that was no JSON text to begin with; without a `Write` its answer is JSON all the same. */
export interface RequestObject {
  readonly jsonrpc: '2.0';
  readonly id: number;
  readonly method: string;
  readonly params: object;
}

/** Answers one request; in the same turn unless a handler took longer. Never throws, never rejects. */
export type Dispatch = (request: string | Buffer | RequestObject, context: CallContext, write?: Write) => Answer;

/** What came of a question, and the ms that it took. */
export type Answered = (method: string, outcome: 'ok' | 'error' | 'forbidden', milliseconds: number) => void;

export interface DispatcherOptions {
  /** Told of what the caller is not: an exception that a handler let out, a result that is no JSON. Must not throw. */
  readonly onInternalError?: (error: unknown, method: string, context: CallContext) => void;
  /** Told of each question to a method, once it is answered. Must not throw. */
  readonly onAnswered?: Answered;
  /** Told of a caller who has not the role that the method asks for. Must not throw. */
  readonly onForbidden?: (method: string, context: CallContext) => void;
}

/**
 * Builds the dispatcher of a method table.
 * @throws {Error} two methods of one name, or a name that JSON-RPC 2.0 §8 reserves (`rpc.`)
 */
export function createDispatcher(methods: readonly Method[], options: DispatcherOptions = {}): Dispatch {
  const dispatcher = new Dispatcher(methods, options);
  return (request, context, write) => dispatcher.dispatch(request, context, write);
}

class Dispatcher {
  readonly #server = new jayson.Server();
  readonly #names: readonly string[];
  readonly #known: ReadonlySet<string>;
  readonly #onInternalError: Told['onInternalError'];

  constructor(methods: readonly Method[], options: DispatcherOptions) {
    const told = { onInternalError: () => {}, onForbidden: () => {}, onAnswered: () => {}, ...options };
    this.#names = methods.map(({ name }) => name);
    this.#known = new Set(this.#names);
    this.#onInternalError = told.onInternalError;
    for (const { code, message } of Object.values(RPC_ERRORS)) this.#server.errorMessages[code] = message;
    for (const method of methods) {
      const { name } = method;
      if (this.#server.hasMethod(name)) throw new Error(`method ${name}: expected one definition, found two`);
      this.#server.method(name, new jayson.Method(jaysonHandler(method, told), { useContext: true }));
    }
  }

  dispatch(request: Parameters<Dispatch>[0], context: CallContext, write: Write | undefined): Answer {
    if (typeof request !== 'string' && !Buffer.isBuffer(request)) return this.#single(request, context, write);
    if (typeof request !== 'string' && !isUtf8(request)) {
      return errorText(new RpcError('parse-error', { expected: 'UTF-8', found: 'other bytes' }).toObject());
    }
    let parsed: unknown;
    try {
      parsed = parseStrictJson(typeof request === 'string' ? request : request.toString('utf8'));
    } catch (error) {
      if (!(error instanceof RepeatedMember))
        return errorText(new RpcError('parse-error', parseFault(request)).toObject());
      const data = { expected: 'each member of an object once', found: error.message };
      return errorText(new RpcError('invalid-request', data).toObject());
    }
    return Array.isArray(parsed) ? this.#batch(parsed, context) : this.#single(parsed, context);
  }

  /** JSON-RPC 2.0 §6. The answers stand in the order of the requests, though any would do. */
  #batch(requests: readonly unknown[], context: CallContext): Answer {
    if (requests.length === 0) return errorText(RPC_ERRORS['invalid-request']);
    if (requests.length > BATCH_LIMIT) {
      const data = { expected: `a batch of at most ${BATCH_LIMIT} requests`, found: requests.length };
      return errorText(new RpcError('invalid-request', data).toObject());
    }
    const answers = requests.map((request) => this.#single(request, context));
    return answers.every(isNow) ? batchText(answers) : Promise.all(answers).then(batchText);
  }

  #single(request: unknown, from: CallContext, write?: Write): Answer {
    if (!isRecord(request)) return errorText(RPC_ERRORS['invalid-request']);
    const { id, method, by } = request;
    const problem = memberProblem(request);
    if (problem !== undefined) return problem;
    if (typeof method === 'string' && !this.#known.has(method)) {
      return id === undefined ? undefined : this.#unknownMethod(id, method, write);
    }
    const context = typeof by === 'string' ? claimedBy(from, by) : from;
    // Any other id makes jayson answer; the null goes back in below.
    const asked: object = id === null ? { ...request, id: 0 } : request;

    let answer: Answer;
    let answered = false;
    let resolveLater: ((text: string | undefined) => void) | undefined;
    this.#server.call(asked as jayson.JSONRPCRequest, context, (error, success) => {
      const response = error ?? success;
      let text: string | undefined;
      if (response !== undefined && response !== null) {
        if (id === null) response.id = null;
        text = answerText(response, write, (cause) => this.#onInternalError(cause, String(method), context));
      }
      if (resolveLater === undefined) {
        answered = true;
        answer = text;
      } else {
        resolveLater(text);
      }
    });
    if (answered) return answer;
    return new Promise((resolve) => {
      resolveLater = resolve;
    });
  }

  #unknownMethod(id: unknown, method: string, write?: Write): string {
    const near = nearest(method, this.#names);
    const hint = near === undefined ? '' : ` (did you mean ${near}?)`;
    const error = new RpcError('method-not-found', { expected: `a method of siptrustd${hint}`, found: quoted(method) });
    return write?.(undefined, error.code) ?? JSON.stringify({ jsonrpc: '2.0', error: error.toObject(), id });
  }
}

type Told = Required<Pick<DispatcherOptions, 'onInternalError' | 'onForbidden' | 'onAnswered'>>;

/** jayson wants the outcome by callback, and nothing thrown. */
function jaysonHandler(
  method: Method,
  { onInternalError, onForbidden, onAnswered }: Told,
): jayson.MethodHandlerContext {
  const { name } = method;
  return (params, context, reply) => {
    const caller = context as CallContext;
    const from = performance.now();
    const done = (value: unknown): void => {
      onAnswered(name, 'ok', performance.now() - from);
      reply(null, value);
    };
    const fail = (error: unknown): void => {
      const known = error instanceof RpcError;
      const forbidden = known && error.kind === 'forbidden';
      if (!known) onInternalError(error, name, caller);
      if (forbidden) {
        onForbidden(name, caller);
        caller.onForbidden?.();
      }
      onAnswered(name, forbidden ? 'forbidden' : 'error', performance.now() - from);
      reply((known ? error.toObject() : RPC_ERRORS['internal-error']) as jayson.JSONRPCErrorLike);
    };
    let result: unknown;
    try {
      if (!includesRole(caller.role, method.role)) throw new RpcError('forbidden');
      result = method.call(params, caller);
    } catch (error) {
      fail(error);
      return;
    }
    if (result instanceof Promise) result.then(done, fail);
    else done(result);
  };
}

/** The FIFO and the unix sockets tell nothing of the process at the other end: what siptrustctl says of itself is kept. */
function claimedBy(context: CallContext, by: string): CallContext {
  const claimed = by.slice(0, LONGEST_CLAIM).replace(/[^\x20-\x7e]/g, '?');
  return { ...context, claimed };
}

/**
 * What jayson would not notice: it parses a string again, and echoes an id that JavaScript could not hold; `by` is ours, and
 * an object there may be one that has no text at all (`{"toString": 1}`).
 */
function memberProblem({ jsonrpc, id, by, method, params }: Readonly<Record<string, unknown>>): string | undefined {
  if (typeof method === 'string' && jsonrpc !== '2.0') {
    // Clients of JSON-RPC 1.0 (Go's net/rpc/jsonrpc) name no version.
    const found = typeof jsonrpc === 'string' ? JSON.stringify(jsonrpc.slice(0, 20)) : kindOf(jsonrpc);
    return errorText(new RpcError('invalid-request', { expected: 'jsonrpc: "2.0"', found }).toObject());
  }
  if (by !== undefined && typeof by !== 'string') {
    return errorText(new RpcError('invalid-request', { expected: 'by: a string', found: kindOf(by) }).toObject());
  }
  if (typeof method === 'string' && params !== undefined && (typeof params !== 'object' || params === null)) {
    const data = { expected: 'params: an object, an array, or none at all', found: kindOf(params) };
    return errorText(new RpcError('invalid-request', data).toObject());
  }
  if (typeof method === 'string' && id !== null && !ID_TYPES.has(typeof id)) {
    return errorText(
      new RpcError('invalid-request', { expected: 'id: a number, a string, or null', found: kindOf(id) }).toObject(),
    );
  }
  if (typeof id === 'number' && (!Number.isFinite(id) || (Number.isInteger(id) && !Number.isSafeInteger(id)))) {
    const data = { expected: `an id of at most ${Number.MAX_SAFE_INTEGER}, or a string`, found: String(id) };
    return errorText(new RpcError('invalid-request', data).toObject());
  }
  return undefined;
}

const ID_TYPES: ReadonlySet<string> = new Set(['undefined', 'string', 'number']);

function kindOf(value: unknown): string {
  return Array.isArray(value) ? 'an array' : value === null ? 'null' : value === undefined ? 'nothing' : typeof value;
}

const BYTE_ORDER_MARK = '\ufeff';
const BYTE_ORDER_MARK_BYTES = 3;

/** What is not seen when the text is looked at; anything else its sender sees. */
function parseFault(request: string | Buffer): unknown {
  const begin = request.slice(0, BYTE_ORDER_MARK_BYTES).toString();
  if (begin === '') return { expected: 'a JSON text', found: 'nothing' };
  // Text in UTF-16, or the end of a string in C.
  const nul = request.indexOf('\0');
  if (nul >= 0) return { expected: 'a JSON text', found: `a NUL octet after ${nul} others` };
  return begin.startsWith(BYTE_ORDER_MARK)
    ? { expected: 'a JSON text', found: 'a byte order mark before it' }
    : undefined;
}

function outcomeOf(response: jayson.JSONRPCResponse): Parameters<Write> {
  const { result, error }: { readonly result?: unknown; readonly error?: unknown } = response;
  if (isRecord(error)) return [undefined, typeof error.code === 'number' ? error.code : undefined];
  return [result instanceof JsonText ? result.value() : result, undefined];
}

/** As the wire has it; what cannot be written so is an error of ours, in the same form. */
function answerText(
  response: jayson.JSONRPCResponse,
  write: Write | undefined,
  onUnwritable: (cause: unknown) => void,
): string {
  try {
    return write === undefined ? jsonText(response) : write(...outcomeOf(response));
  } catch (cause) {
    onUnwritable(cause);
    const error = RPC_ERRORS['internal-error'];
    return write?.(undefined, error.code) ?? JSON.stringify({ jsonrpc: '2.0', error, id: response.id });
  }
}

function jsonText(response: jayson.JSONRPCResponse): string {
  const { id } = response;
  const result = 'result' in response ? response.result : undefined;
  if (result instanceof JsonText) return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${result.text}}`;
  return JSON.stringify(response);
}

const isNow = (answer: Answer): answer is string | undefined => !(answer instanceof Promise);

function batchText(answers: readonly (string | undefined)[]): string | undefined {
  const texts = answers.filter((text) => text !== undefined);
  return texts.length === 0 ? undefined : `[${texts.join(',')}]`;
}
