/**
 * One Perl-compatible expression a profile and direction that matches a message with nothing to do: every line of its
 * header block is well formed and keeps to the profile's rules. A match means clean and a failure, whatever its cause,
 * means "look closer": a matcher that gives up cannot fall open.
 *
 * Linear: every run is possessive, and `(*COMMIT)` ends the search at the first failure. Without regard to case.
 */

import type { HookProfile } from '../table/index.js';
import { Lines } from './lines.js';
import { ANSWER, EMERGENCY, Marks } from './marks.js';
import type { Purpose } from './purpose.js';
import { CLOSING, END, REMEMBERED, Values } from './values.js';

/** The expression for a direction: requests by the first profile, responses by the second. */
export function cleanMessage(request: HookProfile, response: HookProfile, purpose: Purpose): string {
  const same = JSON.stringify(request) === JSON.stringify(response);
  const values = new Values(request, purpose.direction);
  const requests = new Lines(request, purpose, values, new Marks('q')).text;
  const differs = request.lines.bearing.length + request.removeUnlessEmergency.length > 0;
  const emergency = differs ? `(?>(?:(?=[^ \\r]++[ ]urn:service:sos(?:[.][^ @\\r]*+)?[ ])(?<${EMERGENCY}>))?)` : '';
  const start = '(?:\\r\\n)*+(?=[^ \\t\\r])';
  const [notStatus, answer] = request.screens ? ['(?!SIP/2)', `(?<${ANSWER}>)`] : ['', ''];
  const status = `SIP/2[.]0[ ]${values.text('')}${END}${answer}`;
  const blocks = same
    ? `${emergency}(?>${notStatus}[a-z]${values.plain}|${start}(?:${status}|${values.any}${END}))${requests}`
    : `${start}(?:${status}${new Lines(response, purpose, values, new Marks('r')).text}|(?!SIP/2)${emergency}(?>${values.plain}|${values.any}${END})${requests})`;
  const closing = purpose.direction === 'in' ? `(?<g>${CLOSING})` : '';
  return `(?J)(?(DEFINE)${values.words}${closing})(*COMMIT)\\A${blocks}${END}${REMEMBERED}`;
}
