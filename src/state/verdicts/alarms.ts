import { hasPassed } from '../../elapsed.js';
import { type Logger, maskIdentities } from '../../log/index.js';
import { type Finding, type ReasonCode, reason } from '../../reasons.js';

/** Of one peer and reason a line is written once in this time. */
const HOLD_MS = 60_000;
/** Anybody can make up source addresses: of more peers than these at a time only the number is told. */
const MOST_PEERS = 200;

/** Whom an alarm is about, and the answer that it came with. */
export interface Alarmed {
  /** Address of the peer, or the next hop. */
  readonly peer: string;
  readonly agreement: string;
  /** For `siptrustctl explain`; empty: the answer has none. */
  readonly id: string;
}

type Mask = (text: string) => string;

/** A finding, and what masks it once it is written. */
type Hidden = Pick<Finding, 'code' | 'detail'> & { readonly hide: Mask };

interface Told {
  at: number;
  /** How many more there were since. */
  held: number;
  last: { readonly finding: Hidden; readonly alarmed: Alarmed };
}

/**
 * Findings that want a look now (severity `alarm`) reach the operator log whatever else is logged: the first of a peer
 * and reason at once, those that follow within a minute as a number after it.
 */
export class Alarms {
  readonly #told = new Map<string, Told>();
  #others = 0;
  #log: Logger | undefined;
  readonly #clock: () => number;

  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /** From now on lines are written. The answer ends that, with what is still held. */
  start(log: Logger): () => void {
    this.#log = log;
    const timer = setInterval(() => this.sweep(), HOLD_MS);
    timer.unref();
    return () => {
      clearInterval(timer);
      this.sweep(true);
      this.#log = undefined;
    };
  }

  /** @param hide masks a detail: what a finding quotes out of a message may name a subscriber */
  tell(findings: readonly Finding[], alarmed: () => Alarmed, hide: Mask = maskIdentities): void {
    for (const { code, detail } of findings) {
      if (reason(code).severity === 'alarm') this.#tell({ code, detail, hide }, alarmed());
    }
  }

  #tell(finding: Hidden, alarmed: Alarmed): void {
    const key = `${alarmed.peer} ${finding.code}`;
    const now = this.#clock();
    const told = this.#told.get(key);
    if (told !== undefined && !hasPassed(told.at, HOLD_MS, now)) {
      told.held += 1;
      told.last = { finding, alarmed };
      return;
    }
    if (told === undefined && this.#told.size >= MOST_PEERS) {
      this.#others += 1;
      return;
    }
    this.#told.set(key, { at: now, held: 0, last: { finding, alarmed } });
    this.#write(finding.code, { ...fields(finding, alarmed), ...(told?.held ? { more: told.held } : {}) });
  }

  /** Tells what was held back for a minute, and forgets who has been quiet since. */
  sweep(all = false): void {
    const now = this.#clock();
    for (const [key, told] of this.#told) {
      if (!all && !hasPassed(told.at, HOLD_MS, now)) continue;
      const { finding, alarmed } = told.last;
      if (told.held === 0) this.#told.delete(key);
      else this.#write(finding.code, { ...fields(finding, alarmed), more: told.held });
      told.at = now;
      told.held = 0;
    }
    if (this.#others > 0)
      this.#log?.error('alarms of other peers were not written one by one', { count: this.#others });
    this.#others = 0;
  }

  #write(code: ReasonCode, rest: object): void {
    this.#log?.error(`alarm ${code}: ${reason(code).text}`, rest);
  }
}

function fields({ detail, hide }: Hidden, { peer, agreement, id }: Alarmed): object {
  return { peer, agreement, detail: hide(detail), ...(id === '' ? {} : { id }) };
}
