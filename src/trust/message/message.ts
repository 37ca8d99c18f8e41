/**
 * The second answer: what must happen to this message at this boundary, in this direction? Pure.
 *
 * From an untrusted peer the header table decides; from a trusted one its assertions are held against its agreement;
 * towards an untrusted one the Privacy of the user is executed. Towards a trusted one Privacy and identities pass
 * untouched (TS 29.165 §12.3).
 */

import { screenAssertions, screenFrom, screenPrivateNetwork } from './assertions.js';
import {
  checkBlock,
  checkBody,
  checkCritical,
  checkLocation,
  checkMethod,
  checkOperatorService,
  checkVerdict,
  flagMethod,
  flagVia,
} from './checks.js';
import { executePrivacy, hideDiversions, hideIdentity } from './leaving.js';
import type { Plan } from './plan.js';
import { stripFields, stripOptionTags, stripRequestUri, stripUris, stripValues } from './strip.js';
import { begin, type MessageInput, malformed, type Refusal, type Work } from './work.js';

export type { MessageInput } from './work.js';

/** The plan for one message. Applied twice it changes nothing more. */
export function planMessage(input: MessageInput): Plan {
  const { agreement, would } = input.verdict;
  if (would === undefined) return planned(input);
  // What is only monitored changes nothing: a stranger is a stranger, and a partner's messages pass as they are.
  if (!would.passes) return planned({ ...input, verdict: { ...input.verdict, agreement: undefined } });
  return { ...AS_IT_IS, would: planned({ ...input, verdict: { ...would, agreement } }) };
}

const AS_IT_IS: Plan = Object.freeze({
  ...{ action: 'continue', code: 0, phrase: '', ruri: '' },
  ...{ remove: [], append: [], findings: [], flags: [] },
});

function planned(input: MessageInput): Plan {
  const work = begin(input);
  for (const step of STEPS) {
    const refused = step(work);
    if (refused !== undefined) return refuse(refused, work);
  }
  return finish(work);
}

const STEPS: readonly ((work: Work) => Refusal)[] = [
  checkVerdict,
  checkBlock,
  checkMethod,
  flagMethod,
  flagVia,
  checkCritical,
  screenAssertions,
  screenFrom,
  screenPrivateNetwork,
  checkOperatorService,
  checkBody,
  checkLocation,
  flagOddities,
  hideIdentity,
  hideDiversions,
  strip,
  executePrivacy,
  stripOptionTags,
];

function refuse({ code, phrase, finding }: NonNullable<Refusal>, work: Work): Plan {
  return {
    action: 'reject',
    code,
    phrase,
    remove: [],
    append: [],
    ruri: '',
    findings: finding === undefined ? work.findings : [finding, ...work.findings.filter((other) => other !== finding)],
    flags: [...work.flags],
  };
}

function flagOddities(work: Work): Refusal {
  const { draft, flags, rules } = work;
  // RFC 3325 §9.2: a UAC sends one or the other.
  if (draft.has('p-preferred-identity') && draft.has('p-asserted-identity')) flags.add('preferred-and-asserted');
  for (const key of draft.keys) {
    if (rules.actionOf(key) === 'flag') flags.add(`${key}-unexpected`);
  }
  if (work.emergency) flags.add('emergency');
  return undefined;
}

function strip(work: Work): Refusal {
  stripFields(work);
  const unclean = new Set([...stripValues(work), ...stripUris(work)]);
  // From a trusted peer, or in an emergency, what cannot be read stays.
  if (unclean.size === 0 || work.stance.trusted || work.emergency) return undefined;
  return malformed(`expected values that can be cleaned, found others in ${[...unclean].join(', ')}`);
}

function finish(work: Work): Plan {
  const { draft, stance, findings, flags } = work;
  const { remove, append, unsendable, irregular } = draft.finish();
  const before = work.ruri;
  const after = before === '' ? '' : stripRequestUri(before, work.rules);
  if (!stance.trusted || irregular.length > 0) {
    const hidden = irregular[0];
    if (hidden !== undefined) {
      return refuse(malformed(`a field that the proxy cannot find by its name would have to go: ${hidden}`), work);
    }
    if (after === undefined && !work.emergency) return refuse(malformed('the Request-URI cannot be cleaned'), work);
  }
  const lost = unsendable.find((key) => MUST_STAY.has(key));
  if (lost !== undefined)
    return refuse(malformed(`${lost} would have to be rewritten and holds bytes that cannot be`), work);
  const ruri = after === undefined || after === before ? '' : escaped(after);
  return { action: 'continue', code: 0, phrase: '', remove, append, ruri, findings, flags: [...flags] };
}

/** A URI whose bytes are all ASCII: others stand escaped in it (RFC 3261 §25.1), and an answer cannot carry all of them. */
function escaped(uri: string): string {
  return uri.replace(/[^\x21-\x7e]/g, (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);
}

/** Without one of these the message is another one. */
const MUST_STAY: ReadonlySet<string> = new Set(['from', 'to', 'contact', 'route', 'refer-to', 'require']);
