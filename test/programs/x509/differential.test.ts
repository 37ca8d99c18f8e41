import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RecordAnswer, verifyRecord } from '../../../src/x509/path/verify-record.js';
import { NOW } from '../../support/certificates.js';
import { type GeneratedChain, generateChain } from '../../support/chain-generator.js';
import { hasOpenssl, type OpensslAnswer, opensslVerify } from '../../support/openssl-verify.js';
import { EXPLAINED } from './differential-explained.js';

/** `SIPTRUST_DIFFERENTIAL_RUNS` and `SIPTRUST_DIFFERENTIAL_SEED` make the long run of `make fuzz`. */
const runs = Number(process.env.SIPTRUST_DIFFERENTIAL_RUNS ?? 30);
const firstSeed = Number(process.env.SIPTRUST_DIFFERENTIAL_SEED ?? 1);
const present = hasOpenssl();
if (!present) console.warn('the comparison with OpenSSL is skipped: openssl cannot be run');

/** What stands between comes as our own material, or as the chain that the peer sent: behind its leaf, in any order, twice. */
function ask(chain: GeneratedChain): RecordAnswer {
  const via = chain.via.map(({ pem }) => pem);
  const sent = chain.seed % 2 === 0;
  return verifyRecord({
    leaf: sent ? [chain.leaf.pem, ...via.toReversed(), ...via].join('') : chain.leaf.pem,
    intermediates: sent ? [] : via,
    anchors: chain.anchors.map(({ pem }) => pem),
    crls: (chain.crls ?? []).map(({ pem }) => pem),
    at: new Date(NOW).toISOString(),
    purpose: chain.purpose,
    names: chain.names,
    revocation: chain.crls === undefined ? 'off' : 'hard',
  });
}

/** undefined: they agree, or the difference is explained; otherwise what is to be looked into. */
function difference(chain: GeneratedChain, ours: RecordAnswer, theirs: OpensslAnswer): string | undefined {
  if (ours.ok === theirs.ok) return undefined;
  const siptrust = ours.ok ? 'laxer' : 'stricter';
  const explained = EXPLAINED.some(
    (row) =>
      row.siptrust === siptrust &&
      chain.changes.includes(row.change) &&
      (ours.ok ? theirs.text.includes(row.told) : ours.reason === row.told),
  );
  if (explained) return undefined;
  return `seed ${chain.seed}, purpose ${chain.purpose}, ${chain.changes.join(', ') || 'no change'}:\n  siptrust: ${ours.reason || 'ok'} ${ours.detail}\n  openssl: ${theirs.text}`;
}

describe.skipIf(!present)('compared with openssl verify -x509_strict', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'siptrust-differential-'));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it(
    `ok/${runs} chains from seed ${firstSeed}`,
    () => {
      const differences: string[] = [];
      const answers = { ok: 0, fail: 0 };
      for (let seed = firstSeed; seed < firstSeed + runs; seed++) {
        const chain = generateChain(seed);
        const ours = ask(chain);
        answers[ours.ok ? 'ok' : 'fail'] += 1;
        const found = difference(chain, ours, opensslVerify(chain, folder));
        if (found !== undefined) differences.push(found);
      }
      expect(differences).toEqual([]);
      // A generator that only makes one kind of chain would compare nothing.
      expect(Math.min(answers.ok, answers.fail)).toBeGreaterThan(runs / 8);
    },
    120_000 + runs * 2_000,
  );
});
