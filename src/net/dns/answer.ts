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
 * `aliased`: the records are those of another name (CNAME). `authentic`: a server that is trusted to do so has validated it (the AD bit, RFC 4035 §3.2.3); absent: nobody has.
 */
export type DnsAnswer<T extends DnsType = DnsType> =
  | {
      readonly kind: 'records';
      readonly records: readonly DnsRecords[T][];
      readonly ttl: number;
      readonly authentic?: boolean;
      readonly aliased?: boolean;
    }
  | {
      readonly kind: 'none' | 'failed' | 'bogus';
      readonly ttl: number;
      readonly authentic?: boolean;
      readonly aliased?: boolean;
    };

/** Answers of one type by name: a map, or what looks like one. */
export interface AnswersByName<T extends DnsType> {
  get(name: string): DnsAnswer<T> | undefined;
}

/** Answers by type and name. */
export type DnsAnswers = { readonly [T in DnsType]: AnswersByName<T> };

/** Answers by type and name, each found by its question; what is kept of a question is of the type that it asks for. */
export function answersBy(find: (query: DnsQuery) => DnsAnswer | undefined): DnsAnswers {
  const of = <T extends DnsType>(type: T): AnswersByName<T> => ({
    get: (name) => find({ type, name }) as DnsAnswer<T> | undefined,
  });
  return { NAPTR: of('NAPTR'), SRV: of('SRV'), A: of('A'), AAAA: of('AAAA') };
}

/** A name as questions and answers spell it. ASCII letters alone have a case in DNS (RFC 4343): U+212A is no k. */
export function dnsName(name: string): string {
  const lower = name.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  return lower.endsWith('.') ? lower.slice(0, -1) : lower;
}
