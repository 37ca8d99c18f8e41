/** The screening of what a trusted peer says of itself and its users (rulebook §5.6). */

import type { Finding } from '../../reasons.js';
import { asciiLower, parseNameAddr, trimBlanks } from '../../sip/grammar/index.js';
import { canonicalName } from '../../sip/table/index.js';
import type { Draft } from './draft.js';
import {
  type AssertionTerms,
  domainsOf,
  isOwnSpoof,
  judgeAssertion,
  mayAssertHost,
  type Screened,
  screenRows,
} from './screen.js';
import { canRefuse, type Refusal, tagsOf, type Work } from './work.js';

function terms({ input }: Work): AssertionTerms | undefined {
  const { agreement } = input.verdict;
  if (agreement === undefined) return undefined;
  return {
    asserts: agreement.asserts,
    interconnect: agreement.interconnect,
    ownDomains: input.snapshot.ownDomains,
    byDomain: input.snapshot.byDomain,
  };
}

function screened({ rules }: Work, key: string): boolean {
  return rules.actionOf(key) === 'screen';
}

const ASSERTIONS = ['p-asserted-identity', 'remote-party-id', 'additional-identity', 'p-charge-info'];

/** P-Asserted-Identity, its old twin, and who is said to call besides, or to pay, of a trusted peer (rulebook §5.6). */
export function screenAssertions(work: Work): Refusal {
  const agreed = terms(work);
  if (agreed === undefined) return undefined;
  for (const key of ASSERTIONS) {
    if (!screened(work, key) || !work.draft.has(key)) continue;
    const legal = key === 'p-asserted-identity';
    const rows = work.draft.rows(key);
    const result = screenRows(
      rows.map(({ value }) => value),
      (addr) => judgeAssertion(addr, agreed),
      { field: canonicalName(key, key), legal },
    );
    // Remote-Party-ID names the called party too (party=called), so one of our domains is no spoof in it, and a call can do without
    // those that are left; nor is it in an answer, which may come from a user of ours that the call was diverted to; nor is a call that is up to be broken.
    if (result.own !== undefined && legal && canRefuse(work) && !work.emergency && !work.within) {
      return { code: 403, phrase: 'Identity Not Allowed', finding: result.own };
    }
    keepScreened(work, rows, result);
  }
  return undefined;
}

/** Puts screened identities in the place of those that were asserted, and notes what fell. */
export function keepScreened(work: Work, rows: ReturnType<Draft['rows']>, { values, findings }: Screened): void {
  rows.forEach((row, i) => {
    const value = values[i] ?? '';
    if (value === '') work.draft.drop(row);
    else work.draft.set(row, value);
  });
  work.findings.push(...findings);
}

/**
 * S-2 and S-7: what From says is no assertion, but one of our own domains in it is a spoof; not within a dialog, where whoever
 * was called writes there what our user dialled (RFC 3261 §12.2.1.1).
 */
export function screenFrom(work: Work): Refusal {
  const { input, direction, message, within, stance, flags, findings, draft } = work;
  if (direction !== 'in' || message !== 'request') return undefined;
  if (within) {
    if (stance.trusted) draft.edit('to', plainlyTagged);
    return undefined;
  }
  const addr = parseNameAddr(input.block.fields.find(({ key }) => key === 'from')?.value ?? '');
  const hosts = 'malformed' in addr ? [] : domainsOf(addr);
  const agreed = terms(work);
  if (!stance.trusted || agreed === undefined) {
    if (hosts.some((host) => input.snapshot.ownDomains.has(host))) flags.add('from-own');
    return undefined;
  }
  const spoofed = hosts.find((host) => isOwnSpoof(host, agreed));
  if (spoofed !== undefined) {
    const finding: Finding<'assert-own'> = {
      code: 'assert-own',
      detail: `From names ${spoofed}, one of our own domains`,
    };
    if (canRefuse(work) && !work.emergency) return { code: 403, phrase: 'Identity Not Allowed', finding };
    findings.push(finding);
  } else if (hosts.some((host) => !mayAssertHost(host, agreed) && !host.endsWith('.invalid'))) {
    flags.add('from-foreign');
  }
  return undefined;
}

/** Blanks may stand in `;tag=`, but chan_sip finds no tag then, and takes the request for a call of whom From names. */
function plainlyTagged(value: string): string {
  const addr = parseNameAddr(value);
  if ('malformed' in addr) return value;
  const { raw } = addr;
  return tagsOf(addr).reduce((text, { value: tag = '', start, end }) => {
    const plain = asciiLower(raw).startsWith(';tag=', start);
    return plain ? text : `${raw.slice(0, start)};tag=${tag}${raw.slice(end)}`;
  }, value);
}

/** RFC 7316 §6.2: the private network must be one that was agreed on. */
export function screenPrivateNetwork(work: Work): Refusal {
  const { draft, input, flags } = work;
  const key = 'p-private-network-indication';
  const { agreement } = input.verdict;
  if (!screened(work, key) || agreement === undefined) return undefined;
  draft.edit(key, (value) => {
    const domain = asciiLower(trimBlanks(value.split(';')[0] ?? ''));
    if (agreement.domains.includes(domain) || agreement.asserts.domains.includes(domain)) return value;
    flags.add('private-network-foreign');
    return undefined;
  });
  return undefined;
}
