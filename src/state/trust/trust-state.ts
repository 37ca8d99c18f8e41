import type { DecisionLog } from '../../log/index.js';
import type { Policy } from '../../policy/snapshot/index.js';
import type { Snapshot } from '../../trust/agreement/index.js';
import type { Evidence } from '../../trust/evidence/index.js';
import { outcomeOf, type Plan } from '../../trust/message/index.js';
import { judgePeer } from '../../trust/peer/index.js';
import { treatmentOf, type Verdict } from '../../trust/verdict/index.js';
import { type ExpiryRow, type ExpirySummary, expiryRowsInSteps, expirySummary, NOTICE_DAYS } from '../expiry/index.js';
import type { Fleet } from '../fleet/index.js';
import { hopsWithoutDns, type NextHops } from '../hops/index.js';
import { PeerCertificates, type Pins } from '../pins/index.js';
import type { PolicyHolder, ReloadReport } from '../policy/index.js';
import { NO_REVOCATION_SOURCE, type RevocationSource } from '../revocation/index.js';
import type { KeptCertificates } from '../store/index.js';
import type { SharedStore } from '../tables/index.js';
import {
  type Alarmed,
  Alarms,
  type Answer,
  Candidate,
  CertificateCache,
  Connections,
  Counters,
  Partners,
  questionOf,
  RecentAnswers,
  VerdictCache,
} from '../verdicts/index.js';
import { inSlices } from '../work/index.js';

/** How long a verdict holds that waits for a revocation status (rulebook §8.3: not trusted, retry). */
const PENDING_MS = 2_000;
/** Scripts ask again about every connection after a new revision: of a row of changes they see one a second. */
const TOUCH_MS = 1_000;
/** A connection or a certificate that nobody asked about in this time is forgotten. */
const FORGET_MS = 3_600_000;
const EXPIRY_COUNT_MS = 60_000;

/** The mutable part of siptrust: the policy in force, what is cached, what is counted. */
export class TrustState {
  readonly policy: PolicyHolder;
  readonly certificates: CertificateCache;
  readonly connections: Connections;
  readonly recent = new RecentAnswers();
  readonly partners = new Partners();
  readonly peers: PeerCertificates;
  readonly counters: Counters;
  readonly alarms: Alarms;
  readonly startedAt: number;
  readonly #verdicts: VerdictCache;
  readonly #decisions: DecisionLog;
  readonly #clock: () => number;
  /** undefined: certificates are not kept. */
  readonly #kept: KeptCertificates | undefined;
  readonly revocation: RevocationSource;
  /** undefined: none are kept (daemon.state.file is off). */
  readonly pins: Pins | undefined;
  readonly hops: NextHops;
  /** The store of the fleet; undefined: this daemon is alone. */
  readonly store: SharedStore | undefined;
  /** undefined: this daemon is alone. */
  fleet: Fleet | undefined;
  #candidate: Candidate | undefined;
  #touched: NodeJS.Timeout | undefined;
  #touchAgain = false;
  #counting: Promise<ExpirySummary> | undefined;
  #expiry: { readonly at: number; readonly revision: number; readonly summary: ExpirySummary } | undefined;

  constructor(
    policy: PolicyHolder,
    decisions: DecisionLog,
    clock: () => number,
    revocation: RevocationSource = NO_REVOCATION_SOURCE,
    pins?: Pins,
    hops: NextHops = hopsWithoutDns(clock),
    kept?: KeptCertificates,
    counters: Counters = new Counters(),
    store?: SharedStore,
  ) {
    this.counters = counters;
    this.store = store;
    const { cache } = policy.settings;
    this.policy = policy;
    // Scripts ask again before a verdict ends; what they name until then must still be known.
    const idleMs = Math.max(FORGET_MS, 2 * policy.snapshot.verdictTtl * 1000);
    // The last eighth is for the words of the questions (methods/trust.ts).
    const share = (part: number): number => Math.floor(cache.memory * part);
    this.certificates = new CertificateCache(
      { octets: share(1 / 2), entries: cache.certificates, idleMs, clock },
      this.counters.certificates,
    );
    this.connections = new Connections({ octets: share(1 / 8), idleMs, clock }, (hash) => this.certificates.find(hash));
    this.#verdicts = new VerdictCache(
      { octets: share(1 / 4), entries: cache.verdicts, ttlMs: cache.ttl * 1000 },
      this.counters.verdicts,
    );
    this.#decisions = decisions;
    this.#clock = clock;
    this.alarms = new Alarms(clock);
    this.peers = new PeerCertificates(clock);
    this.revocation = revocation;
    this.pins = pins;
    this.hops = hops;
    this.#kept = kept;
    hops.start(this.counters);
    this.startedAt = clock();
    pins?.start(this.counters, () => this.touch());
    if (pins !== undefined && pins.revisionFloor >= policy.snapshot.revision) {
      policy.touch(clock(), pins.revisionFloor);
    }
  }

  get snapshot(): Snapshot {
    return this.policy.snapshot;
  }

  now(): number {
    return this.#clock();
  }

  /** The verdict on this evidence under the policy in force. */
  judge(evidence: Evidence): Verdict {
    const now = this.now();
    const { snapshot } = this;
    return this.#verdicts.get(evidence, snapshot, now, () => this.#judge(evidence, snapshot, now));
  }

  #judge(evidence: Evidence, snapshot: Snapshot, now: number): Verdict {
    const { revocation, pins } = this;
    const verdict = judgePeer(evidence, snapshot, now, revocation.crls, revocation.ocsp, pins?.approved);
    const leaf = evidence.tls?.certificate;
    if (leaf === undefined || 'malformed' in leaf || verdict.agreement === undefined) return verdict;
    revocation.observe(leaf, evidence.tls?.chain?.certificates ?? []);
    const waits = verdict.findings.some(({ code }) => code === 'rev-unknown') && revocation.awaits(leaf);
    return waits ? { ...verdict, validUntil: Math.min(verdict.validUntil, now + PENDING_MS) } : verdict;
  }

  /** Keeps what is known of a connection for the messages that name it. */
  remember(evidence: Evidence, verdict: Verdict): void {
    const certificate = evidence.tls?.certificate;
    const whose = verdict.verdict === 'trusted' ? 'partner' : 'stranger';
    if (whose === 'partner' && certificate !== undefined && 'sha256' in certificate) {
      this.certificates.keep(certificate);
      for (const ca of evidence.tls?.chain?.certificates ?? []) this.certificates.keep(ca);
    }
    this.connections.remember(evidence, whose);
  }

  /** The connection is closed; whether it was known. */
  forget(connectionId: string): boolean {
    this.partners.closed(connectionId);
    return this.connections.forget(connectionId);
  }

  /** Gives an answer its id, counts it and writes it to the decision log. */
  record(method: 'trust.peer' | 'trust.message', evidence: Evidence, verdict: Verdict, plan?: Plan): Answer {
    const question = questionOf(method, evidence, plan ?? verdict);
    const answer = this.recent.add(this.now(), verdict, plan, question);
    this.partners.observe(question, answer, evidence.connectionId);
    this.counters.add(`${method}.${verdict.verdict}`);
    const { agreement, findings } = verdict;
    this.counters.verdictCounts.add(agreement?.name, evidence.direction, verdict.verdict, findings[0]?.code);
    const first = (plan?.findings[0] ?? verdict.findings[0])?.code;
    if (first !== undefined) this.counters.add(`reason.${first}`);
    this.alarms.tell(verdict.findings, () => alarmed(answer.id, evidence, verdict));
    if (plan !== undefined)
      this.alarms.tell((plan.would ?? plan).findings, () => alarmed(answer.id, evidence, verdict));
    if (verdict.would !== undefined) this.counters.add(`monitor.${method}.${verdict.would.verdict}`);
    if (plan?.would !== undefined) this.counters.add(`monitor.plan.${outcomeOf(plan.would)}`);
    const treatment = method === 'trust.peer' ? treatmentOf(verdict, this.snapshot) : undefined;
    const decision = { method, id: answer.id, at: answer.at, evidence, verdict, plan, treatment };
    this.#decisions.write(decision);
    if (treatment !== undefined) this.#candidate?.observe({ ...decision, treatment });
    const certificate = evidence.tls?.certificate;
    if (certificate !== undefined && 'sha256' in certificate) {
      this.#kept?.observe([certificate, ...(evidence.tls?.chain?.certificates ?? [])], verdict.agreement !== undefined);
      for (const agreement of verdict.observes ?? []) {
        this.peers.observe(agreement, certificate);
        this.pins?.observe(agreement, certificate);
      }
    }
    return answer;
  }

  /** undefined: there is none. */
  get candidate(): Candidate | undefined {
    return this.#candidate;
  }

  /** From now on each trust.peer is judged by this policy too, after its answer; another candidate is forgotten. */
  tryCandidate(file: string, policy: Policy): void {
    const ttlMs = this.policy.settings.cache.ttl * 1000;
    this.#candidate = new Candidate(file, policy, this.now(), ttlMs, {
      judge: (evidence, candidate, now) => {
        const { revocation, pins } = this;
        return judgePeer(evidence, candidate, now, revocation.crls, revocation.ocsp, pins?.approved);
      },
      later: (work) => void setImmediate(work),
      count: (what) => this.counters.add(`candidate.${what}`),
    });
  }

  /** Whether there was a candidate. */
  dropCandidate(): boolean {
    const dropped = this.#candidate !== undefined;
    this.#candidate = undefined;
    return dropped;
  }

  /** What ends within these days, and what has ended already. */
  expiry(withinDays: number): Promise<readonly ExpiryRow[]> {
    const sources = {
      snapshot: this.snapshot,
      pins: this.pins?.list() ?? [],
      peers: this.peers.list(),
      fetched: this.revocation.crls,
      crlWarnMs: this.policy.settings.revocation.warn * 1000,
    };
    return inSlices(expiryRowsInSteps(sources, withinDays, this.now()));
  }

  /**
   * How much has ended and how much ends soon. Scripts ask for it twice a second: it is counted once a minute and for each
   * policy, and while it is being counted they get what was counted before.
   */
  async expirySummary(): Promise<ExpirySummary> {
    const [now, { revision }] = [this.now(), this.snapshot];
    const known = this.#expiry;
    if (known !== undefined && known.revision === revision && now - known.at < EXPIRY_COUNT_MS) return known.summary;
    this.#counting ??= this.#countExpiry(now, revision);
    return known?.summary ?? this.#counting;
  }

  async #countExpiry(at: number, revision: number): Promise<ExpirySummary> {
    try {
      const summary = expirySummary(await this.expiry(NOTICE_DAYS));
      this.#expiry = { at, revision, summary };
      return summary;
    } finally {
      this.#counting = undefined;
    }
  }

  /** @param by who asks for it */
  async reload(by = ''): Promise<ReloadReport> {
    const before = this.snapshot;
    const report = await this.policy.reload(this.#clock, by);
    if (report.ok && this.snapshot !== before) await this.revocation.follow(this.snapshot);
    return report;
  }

  /** A list or a status says something else than before: no verdict from before is given out any more (rulebook T-46). */
  revocationChanged(): void {
    this.#verdicts.flush();
    this.#candidate?.flush();
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
    this.#verdicts.flush();
    this.#candidate?.flush();
    return this.policy.touch(this.now());
  }

  /** Empties the caches; the number of entries that were in each. Connections have to be asked about again. */
  flush(): { readonly certificates: number; readonly verdicts: number; readonly dns: number } {
    this.connections.clear();
    return { certificates: this.certificates.flush(), verdicts: this.#verdicts.flush(), dns: this.hops.flush() };
  }

  sizes(): { readonly certificates: number; readonly verdicts: number; readonly connections: number } {
    return {
      certificates: this.certificates.size,
      verdicts: this.#verdicts.size,
      connections: this.connections.size,
    };
  }

  /** Octets that the caches take up, about. */
  octets(): { readonly certificates: number; readonly verdicts: number; readonly connections: number } {
    return {
      certificates: this.certificates.octets,
      verdicts: this.#verdicts.octets,
      connections: this.connections.octets,
    };
  }
}

/** The peer of an answer: where it calls from, or whom we call. */
function alarmed(id: string, { direction, sourceAddress, nextHop }: Evidence, { agreement }: Verdict): Alarmed {
  const peer = (direction === 'out' ? nextHop : undefined) ?? sourceAddress ?? 'unknown';
  return { peer, agreement: agreement?.name ?? '', id };
}
