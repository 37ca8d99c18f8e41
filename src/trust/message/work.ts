/** One message on its way through the steps of a plan. */

import type { Finding, RefusingCode } from '../../reasons.js';
import {
  asciiLower,
  type HeaderBlock,
  type HeaderField,
  type NameAddr,
  type Param,
  type Privacy,
  parseNameAddr,
  parsePrivacy,
  parseStartLine,
  splitList,
  trimBlanks,
} from '../../sip/grammar/index.js';
import {
  type Direction,
  type MessageClass,
  type RulesInForce,
  rulesInForce,
  type Stance,
  strangerStance,
} from '../../sip/table/index.js';
import type { Snapshot } from '../agreement/index.js';
import type { Evidence } from '../evidence/index.js';
import type { Verdict } from '../verdict/index.js';
import { Draft } from './draft.js';

/** One message at one of the four hooks. Strings are latin1. */
export interface MessageInput {
  readonly direction: Direction;
  readonly message: MessageClass;
  /** Where the start line or CSeq do not tell it. */
  readonly method?: string | undefined;
  readonly status?: number | undefined;
  readonly ruri?: string | undefined;
  /** On the way out: the URI that the request goes to next, where the proxy says it. */
  readonly next?: string | undefined;
  /** Without its line end. */
  readonly startLine?: string | undefined;
  readonly startLineEnd?: string | undefined;
  readonly block: HeaderBlock;
  /** What the message came by; undefined or `unknown`: nobody said. */
  readonly transport?: Evidence['transport'] | undefined;
  /** The verdict on the peer of this hook. */
  readonly verdict: Pick<Verdict, 'verdict' | 'agreement' | 'action' | 'code' | 'phrase' | 'would'>;
  readonly snapshot: Pick<Snapshot, 'ownDomains' | 'byDomain' | 'privacy'>;
}

/** All that the steps share. */
export interface Work {
  readonly input: MessageInput;
  readonly direction: Direction;
  readonly message: MessageClass;
  readonly method: string;
  readonly stance: Stance;
  readonly emergency: boolean;
  /** As far as one message tells: From and To bear tags (RFC 3261 §12). */
  readonly within: boolean;
  readonly privacy: Privacy;
  readonly draft: Draft;
  readonly rules: RulesInForce;
  readonly ruri: string;
  readonly findings: Finding[];
  readonly flags: Set<string>;
}

/** A step's answer: undefined, or why the message is refused. */
export type Refusal =
  | { readonly code: number; readonly phrase: string; readonly finding?: Finding<RefusingCode> }
  | undefined;

/** Gathers what all checks of one message look at. */
export function begin(input: MessageInput): Work {
  const { direction, message, block, verdict, snapshot } = input;
  const line = input.startLine === undefined ? undefined : parseStartLine(input.startLine);
  const request = line?.kind === 'request' ? line : undefined;
  const cseq = block.fields.find(({ key }) => key === 'cseq')?.value ?? '';
  const method = input.method ?? request?.method ?? trimBlanks(cseq.slice(cseq.search(/[ \t]|$/)));
  const ends = ['from', 'to'].map((name) => parseNameAddr(block.fields.find(({ key }) => key === name)?.value ?? ''));
  const ruri = message === 'request' ? (input.ruri ?? request?.uri.raw ?? '') : '';
  const { agreement } = verdict;
  const stance: Stance = {
    ...strangerStance(agreement?.privacy ?? snapshot.privacy),
    // A trusted verdict always names its agreement; one that does not is no ground for trust.
    trusted: verdict.verdict === 'trusted' && agreement !== undefined,
    ...(agreement === undefined ? {} : { interconnect: agreement.interconnect, overrides: agreement.headers }),
  };
  return {
    direction,
    message,
    method,
    stance,
    // A proxy may have rewritten the Request-URI since: the call stays what it came in as. Within a dialog the other end has chosen it.
    emergency:
      message === 'request' && !isTagged(ends[1]) && (isEmergency(ruri) || isEmergency(request?.uri.raw ?? '')),
    within: ends.every((end) => 'params' in end && isTag(tagsOf(end))),
    privacy: parsePrivacy(block.fields),
    input,
    draft: new Draft(direction === 'out' ? withoutTaken(block, input) : block),
    rules: rulesInForce(direction, message, method, stance),
    ruri,
    findings: [],
    flags: new Set(),
  };
}

/**
 * The block without the Routes in front of the one that the request goes to next. A proxy takes out those that lead to itself
 * (RFC 3261 §16.4), and what it gives is the message as it came: written anew, they would come back. So would that of a strict
 * router, which is the Request-URI now (§16.6 step 6).
 */
function withoutTaken(block: HeaderBlock, { next, ruri }: MessageInput): Pick<HeaderBlock, 'fields'> {
  if (next === undefined) return block;
  const kept: HeaderField[] = [];
  let found = false;
  for (const field of block.fields) {
    if (found || field.key !== 'route') {
      kept.push(field);
      continue;
    }
    const pieces = splitList(field.value);
    const first = pieces.findIndex((piece) => leadsTo(piece, next));
    if (first < 0) continue;
    found = true;
    const taken = first + (ruri === next && !isLoose(pieces[first] ?? '') ? 1 : 0);
    const value = trimBlanks(pieces.slice(taken).join(','));
    if (value !== '') kept.push({ ...field, value });
  }
  return found ? { fields: kept } : block;
}

/** Kamailio goes by maddr and the port alone where a Route bears one. */
function leadsTo(piece: string, next: string): boolean {
  const addr = parseNameAddr(piece);
  if (!('uri' in addr) || addr.uri.kind !== 'sip') return false;
  const { raw, params, port } = addr.uri;
  const maddr = params.find(({ key }) => key === 'maddr')?.value;
  return next === (maddr === undefined ? raw : `sip:${maddr}${port === undefined ? '' : `:${port}`}`);
}

function isLoose(piece: string): boolean {
  const addr = parseNameAddr(piece);
  return 'uri' in addr && addr.uri.kind === 'sip' && addr.uri.params.some(({ key }) => key === 'lr');
}

/** Does a field name a dialog, whatever the tag is? */
function isTagged(end: ReturnType<typeof parseNameAddr> | undefined): boolean {
  return end !== undefined && 'params' in end && end.params.some(({ key }) => key === 'tag');
}

/** By their name as it stands there: nobody decodes the parameters of a field. */
export function tagsOf({ params }: NameAddr): readonly Param[] {
  return params.filter(({ name }) => asciiLower(name) === 'tag');
}

/** One tag, and one that every reader takes for one: scripts tell a dialog by it. */
function isTag(tags: readonly Param[]): boolean {
  return tags.length === 1 && /^[-A-Za-z0-9.!%*_+`'~]+$/.test(tags[0]?.value ?? '');
}

/** RFC 5031 §4.2: urn:service:sos and everything under it; no host to go to. */
export function isEmergency(ruri: string): boolean {
  const urn = asciiLower(ruri);
  return urn === 'urn:service:sos' || (urn.startsWith('urn:service:sos.') && !urn.includes('@'));
}

/** An answer can be refused, an ACK or CANCEL cannot; a script drops what it cannot refuse. */
export function canRefuse({ message, method }: Work): boolean {
  return message === 'request' && method !== 'ACK' && method !== 'CANCEL';
}

/** The message is refused as malformed: 400, unless said otherwise (RFC 3261 §21.4.1). */
export function malformed(detail: string, code = 400, phrase = 'Malformed Header'): NonNullable<Refusal> {
  return { code, phrase, finding: { code: 'malformed-header', detail } };
}
