/** DNS as the choice of the next hop sees it: questions, and the answers that a resolver has collected so far. */

export type DnsType = 'NAPTR' | 'SRV' | 'A' | 'AAAA';

export interface DnsQuery {
  readonly type: DnsType;
  /** Lower case, without a trailing dot. */
  readonly name: string;
}

/** RFC 3403 §4.1. */
export interface NaptrRecord {
  readonly order: number;
  readonly preference: number;
  readonly flags: string;
  readonly service: string;
  readonly regexp: string;
  readonly replacement: string;
}

/** RFC 2782. */
export interface SrvRecord {
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  readonly target: string;
}

/** What each type of question is answered with; addresses as text. CNAMEs are followed by the resolver. */
export interface DnsRecords {
  readonly NAPTR: NaptrRecord;
  readonly SRV: SrvRecord;
  readonly A: string;
  readonly AAAA: string;
}

/**
 * One answer. `none`: the name or the type does not exist. `failed`: no answer, or a server failure: nothing is known.
 * `bogus`: DNSSEC validation failed. `ttl`: seconds, the least of the record set, or of the SOA for `none`.
 */
export type DnsAnswer<T extends DnsType = DnsType> =
  | { readonly kind: 'records'; readonly records: readonly DnsRecords[T][]; readonly ttl: number }
  | { readonly kind: 'none' | 'failed' | 'bogus'; readonly ttl: number };

/** Answers by type and name. */
export interface DnsAnswers {
  readonly NAPTR: ReadonlyMap<string, DnsAnswer<'NAPTR'>>;
  readonly SRV: ReadonlyMap<string, DnsAnswer<'SRV'>>;
  readonly A: ReadonlyMap<string, DnsAnswer<'A'>>;
  readonly AAAA: ReadonlyMap<string, DnsAnswer<'AAAA'>>;
}

/** A name as questions and answers spell it. */
export function dnsName(name: string): string {
  const lower = name.toLowerCase();
  return lower.endsWith('.') ? lower.slice(0, -1) : lower;
}
