/** Names of fields, and of their parameters, that untrusted networks may neither get nor say. */

import { BOUNDARY_RULES, UNTRUSTED } from '../../sip/table/index.js';

const { hooks: HOOKS } = UNTRUSTED;
/** Fields that no stranger may get in a reply, nor say. */
export const PRIVATE = HOOKS['response-out'].remove;
/** Fields that nobody believes of a stranger. */
export const CLAIMED = HOOKS['request-in'].remove.map(lowerCase);
/** Parameters of a field, the same. */
const PARAMETERS = BOUNDARY_RULES.filter(({ kind }) => /^(?:uri|header)-param$/.test(kind)).map(({ name }) => name);

export function lowerCase(name: string): string {
  return name.toLowerCase();
}

/** Whether strangers may not get it, in a reply or a request: the name of a field, or of a parameter. */
export function isPrivate(name: string, hook: 'response-out' | 'request-out' = 'response-out'): boolean {
  const lower = lowerCase(name);
  if (HOOKS[hook].kept.some((each) => lowerCase(each) === lower)) return false;
  return [...HOOKS[hook].remove, ...PARAMETERS].some((each) =>
    each.endsWith('*') ? lower.startsWith(each.slice(0, -1).toLowerCase()) : lower === each.toLowerCase(),
  );
}
