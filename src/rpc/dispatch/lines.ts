/**
 * The same methods for scripts that have no JSON: a question in one line, `trust.peer direction=in tls.verified=1`, and
 * the answer in one line (sip/script, answer-line.ts), which is made of the value that everybody else gets as JSON.
 */

import { answerLine } from '../../sip/script/index.js';
import type { Answer, Dispatch } from './dispatcher.js';
import { RPC_ERRORS } from './errors.js';
import { type CallContext, MOST_PARAMS } from './method.js';

/** `METHOD NAME=VALUE ...`, printable ASCII, one blank between; a dot leads into an object. */
const QUESTION = /^[a-z.]+(?: (?:[a-z0-9_]+\.)?[a-z0-9_]+=[!-~]*)*$/;

interface Params {
  [name: string]: string | Params;
}

/** Gives the question to `dispatch`; what is no question, or has no answer that fits in a line, is `error;CODE`. */
export function lineDispatch(dispatch: Dispatch): (question: Buffer, context: CallContext) => Answer {
  return (question, context) => {
    const asked = requestOf(question.toString('latin1'));
    if (asked === undefined) return `error;${RPC_ERRORS['invalid-request'].code}`;
    const { method } = asked;
    return dispatch(
      { jsonrpc: '2.0', id: 1, ...asked },
      context,
      (result, code) => answerLine(method, result) ?? `error;${code ?? RPC_ERRORS['internal-error'].code}`,
    );
  };
}

/** undefined: it is none, names a param twice, or more params than there are. */
function requestOf(question: string): { readonly method: string; readonly params: Params } | undefined {
  if (!QUESTION.test(question)) return undefined;
  const [method = '', ...members] = question.split(' ');
  if (members.length > MOST_PARAMS) return undefined;
  // No prototype: `__proto__` is a name like any other.
  const params: Params = Object.create(null);
  for (const member of members) {
    const at = member.indexOf('=');
    const [first = '', below] = member.slice(0, at).split('.');
    if (below !== undefined) params[first] ??= Object.create(null);
    const object = below === undefined ? params : params[first];
    const name = below ?? first;
    if (typeof object !== 'object' || name in object) return undefined;
    object[name] = member.slice(at + 1);
  }
  return { method, params };
}
