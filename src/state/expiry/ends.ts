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
  #counting: Promise<ExpirySummary> | undefined;
  #counted: { readonly at: number; readonly revision: number; readonly summary: ExpirySummary } | undefined;

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

  /**
   * How much has ended and how much ends soon. Scripts ask for it twice a second: it is counted once a minute and for each
   * policy, and while it is being counted they get what was counted before.
   */
  async summary(): Promise<ExpirySummary> {
    const [now, { revision }] = [this.#now(), this.#sources().snapshot];
    const known = this.#counted;
    if (known !== undefined && known.revision === revision && now - known.at < COUNT_MS) return known.summary;
    this.#counting ??= this.#count(now, revision);
    return known?.summary ?? this.#counting;
  }

  async #count(at: number, revision: number): Promise<ExpirySummary> {
    try {
      const summary = expirySummary(await this.rows(NOTICE_DAYS));
      this.#counted = { at, revision, summary };
      return summary;
    } finally {
      this.#counting = undefined;
    }
  }
}
