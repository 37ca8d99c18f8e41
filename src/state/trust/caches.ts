import type { DaemonSettings } from '../../policy/settings/index.js';
import type { Evidence } from '../../trust/evidence/index.js';
import type { Verdict } from '../../trust/verdict/index.js';
import { CertificateCache, Connections, type Counters, VerdictCache } from '../verdicts/index.js';

/** A connection or a certificate that nobody asked about in this time is forgotten: so long OpenSSL lets a session be resumed. */
const FORGET_MS = 7_200_000;

export interface CacheSizes {
  readonly certificates: number;
  readonly verdicts: number;
  readonly connections: number;
}

/** What is known of certificates, verdicts and connections, within the octets of daemon.cache. */
export class Caches {
  readonly certificates: CertificateCache;
  readonly connections: Connections;
  readonly verdicts: VerdictCache;

  /** @param verdictTtl seconds for which scripts keep a verdict */
  constructor(cache: DaemonSettings['cache'], verdictTtl: number, counters: Counters, clock: () => number) {
    // Scripts ask again before a verdict ends; what they name until then must still be known.
    const idleMs = Math.max(FORGET_MS, 2 * verdictTtl * 1000);
    // The last eighth is for the words of the questions (methods/trust.ts).
    const share = (part: number): number => Math.floor(cache.memory * part);
    this.certificates = new CertificateCache(
      { octets: share(1 / 2), entries: cache.certificates, idleMs, clock },
      counters.certificates,
    );
    this.connections = new Connections({ octets: share(1 / 8), idleMs, clock }, (hash) => this.certificates.find(hash));
    this.verdicts = new VerdictCache(
      { octets: share(1 / 4), entries: cache.verdicts, ttlMs: cache.ttl * 1000 },
      counters.verdicts,
    );
  }

  /** Keeps what is known of a connection for the messages that name it. */
  remember(evidence: Evidence, verdict: Verdict): void {
    const { certificate, chain, verified = false } = evidence.tls ?? {};
    const whose = verdict.verdict === 'trusted' || verdict.would?.passes === true ? 'partner' : 'stranger';
    if (certificate !== undefined && 'sha256' in certificate) {
      if (whose === 'partner') this.certificates.keep([certificate, ...(chain?.certificates ?? [])]);
      if (chain !== undefined && verified) this.certificates.cameTogether(certificate, chain.certificates, whose);
    }
    this.connections.remember(evidence, whose);
  }

  /** Evidence of a session that was resumed, with the chain of the handshake that the same certificate was shown in. */
  whole(evidence: Evidence): Evidence {
    const { tls } = evidence;
    const leaf = tls?.certificate;
    if (tls === undefined || leaf === undefined || 'malformed' in leaf) return evidence;
    const certificates = this.certificates.cameWith(leaf);
    return certificates.length === 0
      ? evidence
      : { ...evidence, tls: { ...tls, chain: { certificates, ignored: [] } } };
  }

  /** The number of entries that were in each. Connections have to be asked about again. */
  flush(): { readonly certificates: number; readonly verdicts: number } {
    this.connections.clear();
    return { certificates: this.certificates.flush(), verdicts: this.verdicts.flush() };
  }

  sizes(): CacheSizes {
    const { certificates, verdicts, connections } = this;
    return { certificates: certificates.size, verdicts: verdicts.size, connections: connections.size };
  }

  /** Octets that they take up, about. */
  octets(): CacheSizes {
    const { certificates, verdicts, connections } = this;
    return { certificates: certificates.octets, verdicts: verdicts.octets, connections: connections.octets };
  }
}
