/**
 * The first verdict on a certificate that was never seen (PEM in, path through one intermediate, names, agreement),
 * beside what node:crypto needs to parse the same certificate and to verify both signatures of the path. Every
 * certificate is judged once: nothing is answered from a cache.
 */

import { X509Certificate } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { loadPolicy } from '../../src/policy/loading/loader.js';
import { PolicyHolder } from '../../src/state/policy/holder.js';
import { trustState } from '../../src/state/trust/trust-state.js';
import { ca, type Issued, leaf, makeKey, root } from '../support/certificates.js';
import { presenting } from '../support/evidence.js';

const ROUNDS = 10;
const CERTIFICATES = 60;

export interface CertificateCost {
  /** µs, median of the rounds. */
  readonly siptrust: number;
  readonly node: number;
  /** Time of siptrust over that of node:crypto: median, least, largest. */
  readonly ratio: readonly [number, number, number];
}

function spread(values: readonly number[]): [number, number, number] {
  const sorted = [...values].sort((a, b) => a - b);
  return [sorted[sorted.length >> 1] ?? NaN, sorted[0] ?? NaN, sorted.at(-1) ?? NaN];
}

/** Measures in this process; the policy goes into `directory`. */
export function measureNewCertificates(directory: string): CertificateCost {
  const now = Date.now();
  const valid = { notBefore: now - 86_400_000, notAfter: now + 86_400_000 };
  const anchor = root(valid);
  const intermediate = ca(anchor, valid);
  writeFileSync(join(directory, 'anchor.pem'), anchor.pem);
  writeFileSync(join(directory, 'intermediate.pem'), intermediate.pem);
  const file = join(directory, 'new-certificate.yaml');
  const agreement = {
    ...{ name: 'op', domains: ['peer.example'], mechanism: 'tls', interconnect: 'non-roaming', revocation: 'off' },
    ...{ anchors: ['anchor.pem'], intermediates: ['intermediate.pem'] },
  };
  writeFileSync(file, stringify({ own_domains: ['own.example'], agreements: [agreement] }), { mode: 0o600 });
  const policy = PolicyHolder.open((revision, at) => loadPolicy(file, revision, at), now);
  if ('problems' in policy) throw new Error(policy.problems.join('\n'));
  const state = trustState({ policy, clock: Date.now });

  function judge({ pem }: Issued): void {
    const { verdict, findings } = state.judge.verdict(presenting(state.caches.certificates.read(pem)));
    if (verdict !== 'trusted') throw new Error(`expected a trusted peer, found ${JSON.stringify(findings)}`);
  }

  const above = new X509Certificate(intermediate.pem);
  const top = new X509Certificate(anchor.pem).publicKey;
  const aboveKey = above.publicKey;
  function verify({ pem }: Issued): void {
    const parsed = new X509Certificate(pem);
    if (!parsed.verify(aboveKey) || !above.verify(top)) throw new Error('expected signatures that hold');
  }

  function time(work: (certificate: Issued) => void, certificates: readonly Issued[]): number {
    const start = performance.now();
    for (const certificate of certificates) work(certificate);
    return ((performance.now() - start) * 1000) / certificates.length;
  }

  const ours: number[] = [];
  const theirs: number[] = [];
  // The first two rounds warm the engine up.
  for (let round = -2; round < ROUNDS; round += 1) {
    const certificates = Array.from({ length: CERTIFICATES }, () => leaf(intermediate, { ...valid, key: makeKey() }));
    const node = time(verify, certificates);
    const siptrust = time(judge, certificates);
    if (round < 0) continue;
    ours.push(siptrust);
    theirs.push(node);
  }
  const ratio = spread(ours.map((value, round) => value / (theirs[round] ?? NaN)));
  return { siptrust: spread(ours)[0], node: spread(theirs)[0], ratio };
}
