/** The DNS answers that a choice of next hops has come by: what they say together, and which questions are still open. */

import type { Finding } from '../../reasons.js';
import type { AnswersByName, DnsAnswer, DnsAnswers, DnsQuery, DnsType } from '../dns/index.js';

/** Longest time that an answer is kept, in seconds; also what a question without DNS gets. */
export const MAX_TTL = 86_400;
/** Records of one answer that are looked at: a zone of strangers must not make us ask hundreds of questions. */
export const MAX_RECORDS = 16;

/** What has been looked up for one choice; it grows by each look at an answer. */
export class Lookups {
  readonly open: DnsQuery[] = [];
  readonly findings: Finding[] = [];
  readonly #answers: DnsAnswers;
  /** The shortest of the answers, in seconds. */
  ttl = MAX_TTL;
  #aborted = false;
  /** undefined: no answer was looked at. */
  #authentic: boolean | undefined;

  constructor(answers: DnsAnswers) {
    this.#answers = answers;
  }

  /** Whether DNSSEC holds for all that was looked at. */
  get authentic(): boolean {
    return this.#authentic ?? false;
  }

  /** Whether nothing can be chosen yet, or ever. */
  get stopped(): boolean {
    return this.open.length > 0 || this.#aborted;
  }

  /** The answer if it is known; else the question is noted as open. */
  answer<T extends DnsType>(type: T, name: string): DnsAnswer<T> | undefined {
    const answers: AnswersByName<T> = this.#answers[type];
    const known = answers.get(name);
    if (known === undefined) {
      if (!this.open.some((query) => query.type === type && query.name === name)) this.open.push({ type, name });
      return undefined;
    }
    this.ttl = Math.min(this.ttl, Math.max(0, known.ttl));
    this.#authentic = (this.#authentic ?? true) && known.authentic === true;
    if (known.kind === 'failed' || known.kind === 'bogus') {
      const why = known.kind === 'bogus' ? 'the answer fails DNSSEC validation' : 'no answer';
      this.find('dns-failed', `${type} ${name}: ${why}`);
      // RFC 7673 §3.1: a bogus record on the way to the host ends the search.
      if (known.kind === 'bogus' && (type === 'NAPTR' || type === 'SRV')) this.#aborted = true;
    }
    return known;
  }

  /** The first MAX_RECORDS of them; that there are more is found. */
  capped<T>(records: readonly T[], type: DnsType): readonly T[] {
    if (records.length > MAX_RECORDS) {
      this.find('dns-ignored', `expected at most ${MAX_RECORDS} ${type} records, found ${records.length}`);
    }
    return records.slice(0, MAX_RECORDS);
  }

  /** What was found is told once. */
  find(code: Finding['code'], detail: string): void {
    if (!this.findings.some((finding) => finding.detail === detail)) this.findings.push({ code, detail });
  }
}
