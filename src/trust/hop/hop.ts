/**
 * The third answer: where a request goes next, and whether it may go there at all. RFC 3263 finds the targets, the
 * agreement says what is asked of them. Nothing here makes anybody trusted: that takes the certificate (`trust.peer`).
 */

import { type AddressPrefix, forbiddenAddress } from '../../net/address/index.js';
import type { DnsAnswers, DnsQuery } from '../../net/dns/index.js';
import {
  HOP_TRANSPORTS,
  MAX_TTL,
  type NextHopAnswer,
  type NextHopOptions,
  type NextHopQuestion,
  type NextHopTarget,
  nextHops,
  type TlsCapability,
} from '../../net/hop/index.js';
import { counted } from '../../printable.js';
import { type Finding, ranked } from '../../reasons.js';
import { type Agreement, agreementOfName, type Snapshot } from '../agreement/index.js';
import type { HopQuestion } from '../evidence/index.js';
import { agreementOfTarget } from './next-hop-name.js';

export interface Hop {
  /** `pending`: questions are still open. `failed`: there is nowhere to send to. */
  readonly status: 'ready' | 'pending' | 'failed';
  /** The domain that the certificate must name; empty: an address that no agreement stands for, or no URI. */
  readonly domain: string;
  readonly tls: TlsCapability;
  readonly requireTls: boolean;
  readonly action: 'continue' | 'reject';
  /** SIP status for `reject`; 0 otherwise. */
  readonly code: number;
  readonly phrase: string;
  /** The agreement in force that covers the domain in direction out. */
  readonly agreement: Agreement | undefined;
  /** In the order to try. */
  readonly targets: readonly NextHopTarget[];
  /** Seconds for which the answer holds. */
  readonly ttl: number;
  /** All DNS answers behind it were validated, by a server that the policy trusts with that. */
  readonly authentic: boolean;
  /** Most telling first. */
  readonly findings: readonly Finding[];
  /** DNS questions that are still open. */
  readonly open: readonly DnsQuery[];
  /** DNS records of the domain offer TLS (N-11). */
  readonly tlsOffered: boolean;
  /** Of the policy that it was found under. */
  readonly revision: number;
}

export interface HopOptions extends Pick<NextHopOptions, 'transports' | 'families' | 'seed'> {
  /** Whether a domain was seen to offer TLS before (N-11). */
  readonly tlsSeen: (domain: string) => boolean;
  /**
   * Special addresses (RFC 6890) that a next hop without an agreement may have; undefined: it may have any address, also one
   * that cannot be told here.
   */
  readonly specialAddresses?: readonly AddressPrefix[] | undefined;
}

/** SIP answers where nothing may be sent (RFC 3261 §21.5.4, rulebook §7.2). */
const NO_TLS = { code: 503, phrase: 'Next Hop Without TLS' } as const;
const NOT_YET = { code: 503, phrase: 'Next Hop Not Known Yet' } as const;
const NOT_KNOWN = { code: 503, phrase: 'Next Hop Not Known' } as const;
const NOT_THERE = { code: 403, phrase: 'Next Hop Address Refused' } as const;
const CONTINUE = { action: 'continue', code: 0, phrase: '' } as const;
const PENDING_TTL = 1;

/** The next hop as far as the DNS answers at hand tell. */
export function findHop(
  question: HopQuestion,
  snapshot: Snapshot,
  now: number,
  answers: DnsAnswers,
  options: HopOptions,
): Hop {
  const { specialAddresses: allowed } = options;
  if ('why' in question) return unreadable(question.why, snapshot.revision, allowed !== undefined);
  const { host } = question;
  const mapped = host.kind === 'ip' ? agreementOfTarget(host.address, question.port, snapshot) : undefined;
  const domain = host.kind === 'domain' ? host.name : (mapped?.domains[0] ?? '');
  const named = mapped ?? agreementOfName(domain, snapshot);
  const agreement = named !== undefined && coversOut(named, now) ? named : undefined;
  // What is only monitored changes nothing: neither where requests go, nor what is asked of who answers there.
  const terms = agreement?.enforcement === 'enforce' ? agreement : undefined;
  const demanded = terms?.requireTls === true;
  const requireTls = demanded || question.scheme === 'sips';
  const step =
    mapped === undefined && terms !== undefined && terms.targets.length > 0
      ? staticTargets(terms, domain, options)
      : nextHops(asked(question, mapped?.enforcement === 'enforce' ? mapped : undefined), answers, {
          ...options,
          tls: demanded ? 'required' : 'optional',
          allowTlsFallback: terms?.allowTlsFallback ?? false,
          tlsSeen: options.tlsSeen(domain),
        });
  const known = { domain, requireTls, agreement, revision: snapshot.revision };
  const subject = domain || (host.kind === 'ip' ? `${host.address}, an address that no agreement names` : '');
  if (step.kind === 'ask') {
    const finding: Finding = {
      code: 'dns-pending',
      detail: `waiting for ${counted(step.queries.length, 'answer')} of DNS about ${domain}`,
    };
    const waits = requireTls || (agreement === undefined && allowed !== undefined);
    const action = waits ? ({ action: 'reject', ...NOT_YET } as const) : CONTINUE;
    const nothing = { targets: [], tls: 'unknown', ttl: PENDING_TTL, authentic: false, tlsOffered: false } as const;
    return { status: 'pending', ...known, ...nothing, ...action, findings: [finding], open: step.queries };
  }
  const hop = settled(step, known, subject);
  return agreement === undefined && allowed !== undefined ? keptOutside(hop, step, allowed) : hop;
}

/**
 * A stranger's DNS, or whoever writes a Request-URI, could lead us into our own networks: what a proxy might reach by itself,
 * where no target is known here or one of several is inside, is refused like the target.
 */
function keptOutside(hop: Hop, { targets }: NextHopAnswer, allowed: readonly AddressPrefix[]): Hop {
  for (const { address } of targets) {
    const why = forbiddenAddress(address, allowed);
    if (why === undefined) continue;
    const subject = hop.domain === '' ? 'the URI' : hop.domain;
    const detail = `${subject}: ${why} (daemon.dns.addresses), and no agreement in force stands for it`;
    const findings = ranked([...hop.findings, { code: 'no-next-hop', detail }]);
    return { ...hop, status: 'failed', action: 'reject', ...NOT_THERE, targets: [], findings };
  }
  return hop.targets.length > 0 || hop.action === 'reject' ? hop : { ...hop, action: 'reject', ...NOT_KNOWN };
}

type Known = Pick<Hop, 'domain' | 'requireTls' | 'agreement' | 'revision'>;

function settled(step: NextHopAnswer, known: Known, subject: string): Hop {
  const { requireTls } = known;
  const targets = requireTls ? step.targets.filter(({ secure }) => secure) : step.targets;
  const refused = requireTls && targets.length === 0;
  const findings = ranked([...step.findings, ...(refused ? lacksTls(step, subject) : [])]);
  return {
    status: targets.length > 0 ? 'ready' : 'failed',
    ...known,
    targets,
    tls: step.tls,
    ...(refused ? ({ action: 'reject', ...NO_TLS } as const) : CONTINUE),
    ttl: step.ttl,
    authentic: step.authentic,
    findings,
    open: [],
    tlsOffered: step.tlsOffered,
  };
}

/** Where all questions were answered and none of the targets does TLS, that is a downgrade, whatever led to it (T-8). */
function lacksTls({ findings }: NextHopAnswer, subject: string): readonly Finding[] {
  if (findings.some(({ code }) => code === 'tls-downgrade' || code === 'dns-failed')) return [];
  return [{ code: 'tls-downgrade', detail: `TLS is required towards ${subject}, and no target by TLS is left` }];
}

/** Another reader, as that of a proxy, may find an address in it (`10.0.0.07`, octets beyond 255). */
function unreadable(why: string, revision: number, refused: boolean): Hop {
  const findings: readonly Finding[] = [{ code: 'bad-input', detail: `the URI asks for no next hop: ${why}` }];
  const known = {
    domain: '',
    requireTls: false,
    agreement: undefined,
    targets: [],
    open: [],
    tlsOffered: false,
    revision,
  } as const;
  const action = refused ? ({ action: 'reject', ...NOT_THERE } as const) : CONTINUE;
  return { status: 'failed', tls: 'unknown', ...action, ttl: MAX_TTL, authentic: false, ...known, findings };
}

/** A target of an agreement is reached by TLS, whatever the URI leaves open. */
function asked(question: NextHopQuestion, mapped: Agreement | undefined): NextHopQuestion {
  if (mapped === undefined || question.transport !== undefined) return question;
  return { ...question, transport: question.scheme === 'sips' ? 'tcp' : 'tls' };
}

/** The targets that the agreement names, in place of DNS. */
function staticTargets(
  agreement: Agreement,
  domain: string,
  { transports, families }: Pick<HopOptions, 'transports' | 'families'>,
): NextHopAnswer {
  const { secure } = HOP_TRANSPORTS.tls;
  const targets = agreement.targets
    .filter(({ address }) => transports.includes('tls') && families.includes(address.includes(':') ? 'AAAA' : 'A'))
    .map(
      ({ address, port }) => ({ transport: 'tls', secure, address, port, reference: domain, fallback: false }) as const,
    );
  const detail = `agreement ${agreement.name} names no target by TLS that the proxy can use (transports, families)`;
  const findings: readonly Finding[] = targets.length > 0 ? [] : [{ code: 'no-next-hop', detail }];
  return {
    kind: 'done',
    targets,
    tls: 'yes',
    ttl: MAX_TTL,
    authentic: false,
    tlsOffered: false,
    findings,
  };
}

/** Whether an agreement stands for its network as a next hop now. */
export function coversOut({ enabled, valid, directions }: Agreement, now: number): boolean {
  return enabled && directions.includes('out') && now >= valid.from && now <= valid.until;
}
