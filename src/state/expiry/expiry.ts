/** What ends, and when: everything that trust in partners rests on and that has an end. */

import type { Agreement, Snapshot } from '../../trust/agreement/index.js';
import { type CertificateFacts, certificateName } from '../../x509/certificate/index.js';
import type { CrlFacts } from '../../x509/revocation/index.js';
import { ENDED_MS, type PeerCertificate } from '../pins/index.js';
import { crlCondition, type ListAtHand, listsOf, newestOfScope } from '../revocation/index.js';
import type { Pin } from '../store/index.js';
import { sortedInSteps } from '../work/index.js';

const DAY = 86_400_000;
/** What was seen last so long ago is the past of a partner. */
const RECALLED_MS = 30 * DAY;
/** So long the edges of a partner may take to exchange a certificate. */
const EXCHANGE_MS = DAY / 24;
/** From this many days before its end something is `ending`: operators need weeks to exchange certificates. */
export const NOTICE_DAYS = 30;

/**
 * `anchor`, `intermediate`, `own-certificate`, `agreement`: of the policy; `peer-certificate`: seen in handshakes; `listener-certificate`, `client-certificate`: what siptrustd shows, and what proxies show to it; `pin-...`: the certificate that bore the key last; `crl`: the newest of its issuer and scope.
 */
export type ExpiryKind =
  | 'agreement'
  | 'anchor'
  | 'intermediate'
  | 'own-certificate'
  | 'listener-certificate'
  | 'client-certificate'
  | 'peer-certificate'
  | 'pin-approved'
  | 'pin-observed'
  | 'crl';

export interface ExpiryRow {
  readonly what: ExpiryKind;
  /** Agreements that it serves; empty: none in particular. */
  readonly agreement: string;
  readonly subject: string;
  /** Milliseconds since 1970: the last instant at which it holds. */
  readonly ends: number;
  /** Whole days that are left; negative: since then. */
  readonly days: number;
  readonly state: ExpiryState;
  /** Of an end entity's certificate: since when it lives. To exchange a CA takes weeks, however short it lives. */
  readonly begins: number | undefined;
}

/** `ending`: within NOTICE_DAYS, or the last third of a shorter life; a CRL, which lives for days: soon past nextUpdate, with no newer one (as `crl.list` says). */
export type ExpiryState = 'current' | 'ending' | 'ended';

export interface ExpirySources {
  readonly snapshot: Pick<Snapshot, 'ownCertificates'> & { readonly agreements: Iterable<Agreement> };
  /** Certificates of the way between proxies and siptrustd: without it every partner is a stranger. */
  readonly access: readonly AccessCertificate[];
  readonly pins: readonly Pin[];
  readonly peers: readonly PeerCertificate[];
  /** Lists that were fetched in the background. */
  readonly fetched: readonly CrlFacts[];
  /** How long before its end a CRL is called ending. */
  readonly crlWarnMs: number;
}

export interface AccessCertificate {
  readonly what: 'listener-certificate' | 'client-certificate';
  readonly subject: string;
  readonly notBefore: number;
  readonly notAfter: number;
}

export interface ExpirySummary {
  readonly ended: number;
  readonly ending: number;
}

type Found = Omit<ExpiryRow, 'days' | 'state' | 'begins'> & {
  readonly state?: ExpiryState;
  readonly begins?: number | undefined;
};

/**
 * What ends within these days, and what has ended already, the first to end first. Agreements that are off are left out.
 * Yields now and then, so that a caller can let verdicts through in between.
 */
export function* expiryRowsInSteps(
  sources: ExpirySources,
  withinDays: number,
  now: number,
): Generator<undefined, readonly ExpiryRow[]> {
  const found: ExpiryRow[] = [];
  const take = (rows: readonly Found[]): void => {
    for (const row of rows) if (row.ends - now <= withinDays * DAY) found.push(rowOf(row, now));
  };
  const names = new Set<string>();
  const lists: ListAtHand[] = [];
  const served: Served = new Map();
  for (const agreement of sources.snapshot.agreements) {
    // One of them may hold thousands of names.
    yield;
    if (!agreement.enabled) continue;
    names.add(agreement.name);
    take(ofAgreement(agreement, now));
    serves(agreement, served);
    lists.push(...listsOf(agreement));
  }
  take(ofOurs(sources));
  yield;
  take(ofPeers(sources, names, now));
  yield;
  take(yield* crls(sources, lists, served, now));
  yield;
  return yield* sortedInSteps(
    found,
    (a, b) => a.ends - b.ends || compare(a.what, b.what) || compare(a.agreement, b.agreement),
  );
}

/** How much has ended and how much ends soon, without keys that were only seen: old ones among them are no harm. */
export function expirySummary(rows: readonly ExpiryRow[]): ExpirySummary {
  const counted = rows.filter(({ what }) => what !== 'pin-observed');
  const count = (wanted: ExpiryState): number => counted.filter(({ state }) => state === wanted).length;
  return { ended: count('ended'), ending: count('ending') };
}

function rowOf({ begins, state, ...row }: Found, now: number): ExpiryRow {
  const days = Math.floor((row.ends - now) / DAY);
  return { ...row, begins, days, state: state ?? stateAt(row.ends, now, begins) };
}

/** What lives for days is replaced in days (certificates of public CAs: six, 47): a third of its life is notice enough. */
function stateAt(ends: number, now: number, begins = Number.NEGATIVE_INFINITY): ExpiryState {
  if (ends < now) return 'ended';
  return ends - now <= Math.min(NOTICE_DAYS * DAY, (ends - begins) / 3) ? 'ending' : 'current';
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

function certificate(what: ExpiryKind, agreement: string, facts: CertificateFacts): Found {
  return { what, agreement, subject: certificateName(facts), ends: facts.notAfter };
}

function ofAgreement({ name, domains, valid, anchors, intermediates }: Agreement, now: number): readonly Found[] {
  // One file may serve both roles.
  const both = [...lasting(anchors.client, now), ...lasting(anchors.server, now)];
  const distinct = new Map(both.map((facts) => [facts.sha256, facts])).values();
  return [
    ...(Number.isFinite(valid.until)
      ? [{ what: 'agreement', agreement: name, subject: domains.join(', '), ends: valid.until } as const]
      : []),
    ...[...distinct].map((facts) => certificate('anchor', name, facts)),
    ...lasting(intermediates, now).map((facts) => certificate('intermediate', name, facts)),
  ];
}

/**
 * Without those that harm nobody by ending: a CA is renewed by a certificate of the same name and key that ends later, and begins
 * before the other one has ended, or has begun.
 */
function lasting(authorities: readonly CertificateFacts[], now: number): readonly CertificateFacts[] {
  const sameKey = new Map<string, CertificateFacts[]>();
  for (const facts of authorities) {
    const key = `${facts.subjectKeys.text} ${facts.publicKey.id}`;
    const all = sameKey.get(key) ?? [];
    all.push(facts);
    sameKey.set(key, all);
  }
  return [...sameKey.values()].flatMap((all) =>
    all.filter(
      ({ notAfter }) => !all.some((next) => next.notAfter > notAfter && next.notBefore <= Math.max(notAfter, now)),
    ),
  );
}

/** What we show to others, and what stands between proxies and siptrustd. */
function ofOurs({ snapshot: { ownCertificates }, access }: ExpirySources): readonly Found[] {
  return [
    ...ownCertificates.map((facts) => ({ ...certificate('own-certificate', '', facts), begins: facts.notBefore })),
    ...access.map(({ what, subject, notBefore, notAfter }) => {
      return { what, agreement: '', subject, ends: notAfter, begins: notBefore };
    }),
  ];
}

/** What partners showed; of agreements that are no more, nothing. */
function ofPeers({ pins, peers }: ExpirySources, names: ReadonlySet<string>, now: number): readonly Found[] {
  const lastApproved = new Map<string, number>();
  for (const { agreement, lastSeen, approvedAt } of pins) {
    if (approvedAt !== undefined) {
      lastApproved.set(agreement, Math.max(lastSeen, lastApproved.get(agreement) ?? Number.NEGATIVE_INFINITY));
    }
  }
  const rows: readonly Found[] = [
    ...[...peers, ...recalled(pins, now)].map(({ agreement, subject, notBefore, notAfter }) => {
      return { what: 'peer-certificate', agreement, subject, ends: notAfter, begins: notBefore } as const;
    }),
    ...pins
      .filter((pin) => !isReplaced(pin, lastApproved))
      .map(({ agreement, subject, notBefore, notAfter, lastSeen, approvedAt }) => {
        const what = approvedAt === undefined ? 'pin-observed' : 'pin-approved';
        // After a restart, and where only other nodes see it, its life is not known: it is as long as this at least. Whatever
        // is seen at the time raises no alarm then; what has ended always does.
        return { what, agreement, subject, ends: notAfter, begins: notBefore ?? Math.min(lastSeen, notAfter) } as const;
      }),
  ];
  return rows.filter(({ agreement }) => names.has(agreement));
}

/**
 * What others of us saw, or an earlier run, by the keys that are kept: the end of a partner's certificate is told although it is
 * silent since the start. In which role it was shown nobody has kept. So one that ends later has taken its place where it
 * appeared when this one went; of two that were shown side by side each is told, and of what is approved there is a row of its own.
 */
function recalled(pins: readonly Pin[], now: number): readonly PeerCertificate[] {
  const shown = new Map<string, Pin[]>();
  for (const pin of pins) {
    const known = shown.get(pin.agreement);
    if (known === undefined) shown.set(pin.agreement, [pin]);
    else known.push(pin);
  }
  return pins.flatMap(({ agreement, subject, notBefore, notAfter, lastSeen, approvedAt }) => {
    const isReplaced = shown
      .get(agreement)
      ?.some((next) => next.notAfter > notAfter && next.firstSeen > lastSeen - EXCHANGE_MS);
    const isPast = lastSeen < now - RECALLED_MS || notAfter < now - ENDED_MS || isReplaced;
    if (approvedAt !== undefined || notBefore !== undefined || isPast) return [];
    return [{ agreement, subject, notBefore: Math.min(lastSeen, notAfter), notAfter }];
  });
}

/** Whether its certificate has ended, and another key that was approved for the partner was seen since. */
function isReplaced(pin: Pin, lastApproved: ReadonlyMap<string, number>): boolean {
  const seen = lastApproved.get(pin.agreement) ?? Number.NEGATIVE_INFINITY;
  return pin.approvedAt !== undefined && seen > Math.max(pin.notAfter, pin.lastSeen);
}

/** Of lists of one issuer and scope the newest: what it replaces harms nobody by ending. */
function* crls(
  { fetched, crlWarnMs }: ExpirySources,
  files: readonly ListAtHand[],
  served: Served,
  now: number,
): Generator<undefined, readonly Found[]> {
  const lists = [...files, ...fetched.map((crl) => ({ source: 'fetched', crl }))];
  const found: Found[] = [];
  for (const { source, crl } of (yield* newestOfScope(lists)).values()) {
    yield;
    const condition = crlCondition(crl, now, crlWarnMs);
    found.push({
      what: 'crl',
      agreement: [...new Set([...(served.get(crl.issuerKeys.text) ?? []), ...(served.get(crl) ?? [])])].join(', '),
      subject: `${crl.issuerText} (${source === 'fetched' ? 'fetched' : 'file'})`,
      // One without nextUpdate has been past its end from the beginning (rulebook K-2).
      ends: crl.nextUpdate ?? crl.thisUpdate,
      state: condition === 'stale' ? 'ended' : condition,
    });
  }
  return found;
}

/** The agreements that name a CA (the key text of its name), or a list itself. */
type Served = Map<string | CrlFacts, string[]>;

function serves({ name, anchors, intermediates, crls: files }: Agreement, served: Served): void {
  const authorities = [...anchors.client, ...anchors.server, ...intermediates];
  for (const key of new Set([...authorities.map(({ subjectKeys }) => subjectKeys.text), ...files])) {
    const names = served.get(key);
    if (names === undefined) served.set(key, [name]);
    else names.push(name);
  }
}
