/** What refuses a message at the boundary, whatever could be taken out of it. */

import { printable } from '../../printable.js';
import { auditHeaderBlock } from '../../sip/audit/index.js';
import { asciiLower, MAX_ROW_BYTES, parseNameAddr, splitList } from '../../sip/grammar/index.js';
import { PRIVATE_KEYS } from '../../sip/table/index.js';
import { isAnonymousAddress } from './diverted.js';
import { refusal } from './malformed.js';
import { criticalFailures, needsB2bua } from './privacy.js';
import { bodyRules } from './strip.js';
import { canRefuse, isEmergency, malformed, type Refusal, type Work } from './work.js';

/** What the verdict itself refuses; an emergency call goes on without what only a trusted peer may say. */
export function checkVerdict({ input, emergency }: Work): Refusal {
  const { verdict } = input;
  if (verdict.action === 'continue' || emergency || input.message !== 'request') return undefined;
  return { code: verdict.code === 0 ? 403 : verdict.code, phrase: verdict.phrase || 'Forbidden' };
}

/** Refuses what can be read in more than one way. */
export function checkBlock(work: Work): Refusal {
  const { input, stance, direction, emergency, flags } = work;
  const problems = auditHeaderBlock(input.block, {
    privateKeys: PRIVATE_KEYS,
    ...(input.startLine === undefined ? {} : { startLine: input.startLine }),
    ...(input.startLineEnd === undefined ? {} : { startLineEnd: input.startLineEnd }),
    ...(work.method === '' ? {} : { method: work.method }),
  });
  if (stance.trusted && direction === 'out') return undefined;
  const policy = direction === 'out' ? 'leaving' : stance.trusted || emergency ? 'tolerant' : 'strict';
  const goes = (key: string): boolean => key !== '' && work.rules.actionOf(key) === 'remove';
  // It stands in no row, and is read parameter by parameter (RFC 3261 §21.4.12).
  const { length } = work.ruri;
  if (length > MAX_ROW_BYTES && policy !== 'leaving')
    return malformed(
      `expected a Request-URI of at most ${MAX_ROW_BYTES} bytes, found ${length}`,
      414,
      'Request-URI Too Long',
    );
  const found = refusal(problems, input.block, policy, goes);
  if (found !== undefined) return malformed(found.detail, found.code, found.phrase);
  if (problems.some(({ severity }) => severity === 'reject')) flags.add('malformed-tolerated');
  return undefined;
}

/** TS 24.229 §5.3.1.2, RFC 6404 §2.3.2.1. */
export function checkMethod({ direction, message, method, stance }: Work): Refusal {
  if (direction !== 'in' || message !== 'request') return undefined;
  // RFC 3261 §7.1 tells methods by case; a registrar that does not must not be reached by that either.
  if (stance.trusted || method.toUpperCase() !== 'REGISTER') return undefined;
  const detail = 'expected a registration from a trusted network, found one from an untrusted one';
  return { code: 403, phrase: 'Registration Not Allowed', finding: { code: 'register-untrusted', detail } };
}

/** TS 29.165 Table 6.1: what every interconnect carries; other methods are a matter of agreement. */
const COMMON_METHODS: ReadonlySet<string> = new Set(['ACK', 'BYE', 'CANCEL', 'INVITE', 'OPTIONS', 'PRACK', 'UPDATE']);
const ROAMING_METHODS: ReadonlySet<string> = new Set(['NOTIFY', 'PUBLISH', 'SUBSCRIBE', 'REGISTER']);

/** Advice on methods: a script that allows fewer of them acts on the flags. */
export function flagMethod({ direction, message, method, stance, flags }: Work): Refusal {
  if (direction !== 'in' || message !== 'request' || method === '' || COMMON_METHODS.has(method)) return undefined;
  const roaming = stance.interconnect === 'roaming' || stance.interconnect === 'loopback';
  if (stance.trusted && roaming && ROAMING_METHODS.has(method)) return undefined;
  flags.add(method === 'REGISTER' ? 'register-not-roaming' : 'method-by-agreement');
  return undefined;
}

/**
 * A request whose topmost Via names another transport than it came by: the `TLS` of a Via is a claim like any other and
 * lends no trust (RFC 3261 §18.2.1, RFC 5630 §3.2).
 */
export function flagVia({ input, direction, message, flags }: Work): Refusal {
  const { transport = 'unknown' } = input;
  if (direction !== 'in' || message !== 'request' || transport === 'unknown') return undefined;
  const via = input.block.fields.find(({ key }) => key === 'via')?.value ?? '';
  const said = /^[^/;,"]*\/[^/;,"]*\/[ \t]*([^ \t/;,"]+)/.exec(via)?.[1];
  if (said === undefined) return undefined;
  // RFC 4168 §5: TLS over SCTP has a name of its own, and proxies call both SCTP.
  const named = asciiLower(said) === 'tls-sctp' ? 'sctp' : asciiLower(said);
  if (named !== transport) flags.add('via-transport-mismatch');
  return undefined;
}

function fromIsAnonymous({ input }: Work): boolean {
  return isAnonymousAddress(input.block.fields.find(({ key }) => key === 'from')?.value ?? '');
}

/** RFC 3323 §5: a request that asks, as critical, for what we cannot do fails, and says what that was. */
export function checkCritical(work: Work): Refusal {
  const { privacy, stance, emergency, flags } = work;
  if (stance.trusted) return undefined;
  if (privacy.invalid) flags.add('privacy-syntax');
  const state = { fromIsAnonymous: fromIsAnonymous(work) };
  if (work.direction === 'out' && needsB2bua(privacy, state).length > 0) flags.add('needs-b2bua');
  const failures = criticalFailures(privacy, state);
  if (failures.length === 0 || !canRefuse(work) || emergency) return undefined;
  const names = failures.map((name) => printable(name)).join(', ');
  const detail = `expected privacy values that a proxy can execute, found ${names}`;
  // No script takes other characters, or more of them, for a phrase.
  const phrase = /^[-A-Za-z0-9., ]{1,60}$/.test(names) ? `Privacy Failure: ${names}` : 'Privacy Failure';
  return { code: 500, phrase, finding: { code: 'privacy-critical', detail } };
}

/** RFC 5503 §6.6: busy line verification and emergency interrupt, from outside, are somebody breaking into a call. */
export function checkOperatorService(work: Work): Refusal {
  const { draft, rules, emergency } = work;
  if (rules.actionOf('p-dcs-osps') !== 'reject' || !canRefuse(work) || emergency) return undefined;
  const asked = draft.rows('p-dcs-osps').find(({ value }) => /^(?:blv|ei)(?![a-z0-9])/i.test(value));
  if (asked === undefined) return undefined;
  const detail = `expected no P-DCS-OSPS from an untrusted peer, found "${printable(asked.value)}"`;
  return { code: 403, phrase: 'Operator Service Not Allowed', finding: { code: 'operator-service', detail } };
}

/**
 * Bodies are not a proxy's to edit: refused where somebody acts on them, else pointed out (B-2, B-3). Phones, SMS centres and gateways
 * go by the type: a row that calls a body optional is its sender's word, and without one it is required (RFC 3261 §20.11).
 */
export function checkBody(work: Work): Refusal {
  const found = bodyRules(work);
  if (found.length === 0) return undefined;
  work.flags.add('body-untrusted');
  if (!found.some(({ action }) => action === 'reject') || !canRefuse(work) || work.emergency) return undefined;
  // Within a call that goes on (RFC 3204: PRACK, BYE). What stands for itself in a method belongs to no call, whatever tags it bears.
  const spared = work.within && found.every(({ rule }) => rule.methods.length === 0);
  const disposition = work.draft.rows('content-disposition').map(({ value }) => asciiLower(value));
  if (spared && !disposition.some((value) => /;[ \t]*handling[ \t]*=[ \t]*"?required/.test(value))) return undefined;
  const detail = `expected no body of type "${printable(work.draft.rows('content-type')[0]?.value ?? '')}"`;
  return { code: 415, phrase: 'Unsupported Media Type', finding: { code: 'body-refused', detail } };
}

/** What says where somebody is: PIDF-LO (RFC 4119), and the data of a vehicle in distress (RFC 8147, RFC 8148). */
const LOCATION = 'application/pidf+xml';
const VEHICLE = ['application/emergencycalldata.ecall.msd', 'application/emergencycalldata.veds'];
/** The same, as a value of Call-Info that names the part of the body (RFC 7852). */
const VEHICLE_PART = /^<cid:.*;purpose="?emergencycalldata\.(?:ecall\.msd|veds)/;

/**
 * Where a user is leaves to strangers in an emergency call alone (TS 24.229 §4.4; RFC 6442 §6). Geolocation goes; the body that
 * it names, or that is a location, is not a proxy's to take out. Of a body no more is known here than its header
 * fields: a part of it that nothing names is not found. Nor is it known what dialog a message belongs to: what vehicles send
 * within one (RFC 8147) belongs to an emergency call, and so does all between ends of which one is called sos.
 */
export function checkLocation(work: Work): Refusal {
  const { direction, stance, emergency, within, draft, flags } = work;
  if (direction !== 'out' || stance.trusted || emergency) return undefined;
  // RFC 3261 §20.15: where there is a body, there is a type of it.
  const squeezed = (key: string) => draft.rows(key).map(({ value }) => asciiLower(value).replace(/[ \t]/g, ''));
  const types = squeezed('content-type');
  if (types.length === 0 || draft.rows('content-length').some(({ value }) => /^0+$/.test(value))) return undefined;
  const ends = ['from', 'to'].map((key) => parseNameAddr(draft.rows(key)[0]?.value ?? ''));
  if (within && ends.some((end) => 'uri' in end && isEmergency(end.uri.raw))) return undefined;
  const ofVehicle =
    types.some((type) => VEHICLE.some((known) => type.startsWith(known))) ||
    squeezed('call-info').some((row) => splitList(row).some((value) => VEHICLE_PART.test(value)));
  const isLocation =
    types.some((type) => type.startsWith(LOCATION)) ||
    squeezed('geolocation').some((value) => value.includes('cid:')) ||
    (ofVehicle && !within);
  if (isLocation) flags.add('body-location');
  return undefined;
}
