import { hasPassed } from '../../elapsed.js';
import type { Agreement } from '../../trust/agreement/index.js';
import { inSlices } from '../work/index.js';
import {
  type AccessCertificate,
  type ExpiryRow,
  type ExpirySources,
  type ExpirySummary,
  expiryRowsInSteps,
  expirySummary,
  NOTICE_DAYS,
} from './expiry.js';

type SourcesOfPolicy = ExpirySources & { readonly snapshot: { readonly revision: number } };

const COUNT_MS = 60_000;

/** What ends and what has ended, asked of whatever is in force now. */
export class Ends {
  readonly #sources: () => SourcesOfPolicy;
  readonly #now: () => number;
  /** What the HTTPS listener shows. */
  listener: Omit<AccessCertificate, 'what'> | undefined;
  #counted: { readonly at: number; readonly revision: number; readonly summary: Promise<ExpirySummary> } | undefined;

  constructor(sources: () => SourcesOfPolicy, now: () => number) {
    this.#sources = sources;
    this.#now = now;
  }

  /** What ends within these days, and what has ended already. */
  rows(withinDays: number): Promise<readonly ExpiryRow[]> {
    return inSlices(expiryRowsInSteps(this.#withListener(), withinDays, this.#now()));
  }

  #withListener(): ExpirySources {
    const sources = this.#sources();
    if (this.listener === undefined) return sources;
    return { ...sources, access: [...sources.access, { what: 'listener-certificate', ...this.listener }] };
  }

  /** The same of one agreement, and of what serves it alone: no other one is looked at. */
  rowsOf(agreement: Agreement, withinDays: number): Promise<readonly ExpiryRow[]> {
    const snapshot = { agreements: [agreement], ownCertificates: [] };
    return inSlices(expiryRowsInSteps({ ...this.#sources(), snapshot, access: [] }, withinDays, this.#now()));
  }

  /** How much has ended and how much ends soon: counted once a minute and for each policy, for all that ask meanwhile. */
  summary(): Promise<ExpirySummary> {
    const [at, { revision }] = [this.#now(), this.#sources().snapshot];
    const known = this.#counted;
    if (known !== undefined && known.revision === revision && !hasPassed(known.at, COUNT_MS, at)) return known.summary;
    const summary = this.rows(NOTICE_DAYS).then(expirySummary);
    const counted = { at, revision, summary };
    this.#counted = counted;
    summary.catch(() => {
      if (this.#counted === counted) this.#counted = undefined;
    });
    return summary;
  }
}
