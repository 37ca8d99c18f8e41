import type { PolicyHolder, ReloadReport } from '../policy/index.js';
import type { RevocationSource } from '../revocation/index.js';

/** Scripts ask again about every connection after a new revision: of a row of changes they see one a second. */
const TOUCH_MS = 1_000;

export interface Changing {
  readonly policy: Pick<PolicyHolder, 'snapshot' | 'reload' | 'touch'>;
  readonly revocation: Pick<RevocationSource, 'follow'>;
  /** What holds verdicts from before. */
  readonly verdicts: readonly { flush(): unknown }[];
  readonly now: () => number;
}

/** What verdicts rest on changes: none from before is given out any more, and scripts see another revision. */
export class Changes {
  readonly #of: Changing;
  #touched: NodeJS.Timeout | undefined;
  #touchAgain = false;

  constructor(of: Changing) {
    this.#of = of;
  }

  /** @param by who asks for it */
  async reload(by = ''): Promise<ReloadReport> {
    const { policy, revocation, now } = this.#of;
    const before = policy.snapshot;
    const report = await policy.reload(now, by);
    if (report.ok && policy.snapshot !== before) await revocation.follow(policy.snapshot);
    return report;
  }

  /** A list or a status says something else than before: no verdict from before is given out any more (rulebook T-46). */
  revocationChanged(): void {
    this.#flush();
    if (this.#touched !== undefined) {
      this.#touchAgain = true;
      return;
    }
    this.touch();
    this.#touched = setTimeout(() => {
      this.#touched = undefined;
      if (this.#touchAgain) this.revocationChanged();
    }, TOUCH_MS);
    this.#touched.unref();
    this.#touchAgain = false;
  }

  /**
   * Something that verdicts rest on has changed besides the policy file: nothing that was decided before holds from
   * the next message on (design rule 5). The new revision.
   */
  touch(): number {
    this.#flush();
    return this.#of.policy.touch(this.#of.now());
  }

  #flush(): void {
    for (const held of this.#of.verdicts) held.flush();
  }
}
