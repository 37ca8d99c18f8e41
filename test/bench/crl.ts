/**
 * What a large CRL costs: the time to fetch, read and verify it in the background, the longest time for which the event
 * loop stands still meanwhile, and the memory that it takes. `tsx test/bench/crl.ts [entries...]`.
 */

import { sign } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { DEFAULT_SETTINGS } from '../../src/policy/settings/settings.js';
import { Revocation } from '../../src/state/revocation/revocation.js';
import { judgePeer } from '../../src/trust/peer/peer.js';
import { parseCrl } from '../../src/x509/revocation/crl.js';
import { ca, DAY, ext, extension, type Issued, leaf, root } from '../support/certificates.js';
import { der, tlv } from '../support/der.js';
import { presenting } from '../support/evidence.js';
import { Child } from '../support/live/child.js';
import { eventually } from '../support/live/places.js';
import { agreementWith, snapshotWith } from '../support/snapshot.js';

export interface CrlCost {
  readonly entries: number;
  readonly octets: number;
  /** Milliseconds: reading alone; all of it, until verdicts use the list. */
  readonly readMs: number;
  readonly loadMs: number;
  /** Milliseconds: the longest turn of the event loop meanwhile, and while nothing was fetched. */
  readonly stallMs: number;
  readonly idleStallMs: number;
  /** Verdicts made while the list was loaded, and the longest one, in milliseconds. */
  readonly verdicts: number;
  readonly verdictMs: number;
  /** MB more than before, after a collection: resident, and what JavaScript holds. */
  readonly megabytes: number;
  readonly heldMegabytes: number;
}

/** A CRL with entries as CAs write them: 16 octets of serial, a date, a reason. */
function bigCrl(issuer: Issued, entries: number): Uint8Array {
  const now = Date.now();
  const sample = der.seq(
    der.intOf(new Uint8Array(16).fill(0x11)),
    der.utcTime(new Date(now - DAY)),
    der.seq(extension('2.5.29.21', der.enumerated(1))),
  );
  const content = Buffer.alloc(sample.length * entries);
  for (let at = 0; at < entries; at++) {
    content.set(sample, at * sample.length);
    content.writeUIntBE(at, at * sample.length + 14, 6);
  }
  const algorithm = der.seq(der.oid('1.2.840.10045.4.3.2'));
  const tbs = der.seq(
    der.int(1),
    algorithm,
    issuer.subject,
    der.utcTime(new Date(now - 60_000)),
    der.utcTime(new Date(now + DAY)),
    tlv(0x30, content),
    tlv(0xa0, der.seq(extension('2.5.29.20', der.int(7)))),
  );
  return der.seq(tbs, algorithm, der.bits(new Uint8Array(sign('sha256', tbs, issuer.key.privateKey))));
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

async function memory(): Promise<{ readonly resident: number; readonly held: number }> {
  for (let round = 0; round < 3; round++) {
    collect();
    await nextTurn();
  }
  const { rss, heapUsed, external } = process.memoryUsage();
  return { resident: rss / 2 ** 20, held: (heapUsed + external) / 2 ** 20 };
}

/** Runs `each` once a turn until `done`; the longest turn in milliseconds. */
async function longestTurn(done: () => boolean, each: () => void): Promise<number> {
  let longest = 0;
  let before = performance.now();
  while (!done()) {
    each();
    await nextTurn();
    const at = performance.now();
    longest = Math.max(longest, at - before);
    before = at;
  }
  return longest;
}

/** Loads a list of so many entries as the daemon does, with verdicts asked for all the time. */
export async function measureCrl(entries: number): Promise<CrlCost> {
  const directory = mkdtempSync(join(tmpdir(), 'siptrust-crl-'));
  const times = { notBefore: Date.now() - DAY, notAfter: Date.now() + 100 * DAY };
  const issuer = root({ subject: 'O=Operator B,CN=Operator B CA', ...times });
  const file = join(directory, 'big.crl');
  writeFileSync(file, bigCrl(issuer, entries));
  const server = new Child('node', [
    '--import',
    'tsx',
    fileURLToPath(new URL('./crl-server.ts', import.meta.url)),
    file,
  ]);
  try {
    const port = await eventually('the server', () => /port (\d+)/.exec(server.output)?.[1], 20_000);
    const url = `http://127.0.0.1:${port}/big.crl`;
    const sub = ca(issuer, { ...times, add: [ext.crlPoints([{ names: [{ uri: url }] }])] });
    const peer = leaf(sub, { ...times, extensions: { altNames: ext.altNames([{ dns: 'b.example' }]) } });
    const agreement = agreementWith({
      anchors: { client: [issuer.facts], server: [issuer.facts] },
      intermediates: [sub.facts],
      revocation: 'soft',
    });
    const snapshot = snapshotWith([agreement]);
    const revocation = await Revocation.open({
      settings: {
        ...DEFAULT_SETTINGS.revocation,
        fetch: true,
        hosts: [{ host: '127.0.0.1', port: Number(port) }],
        directory: undefined,
        maxSize: 64 * 1024 * 1024,
      },
      snapshot,
      clock: Date.now,
      log: { error: console.error, warn: () => {}, info: () => {}, debug: () => {} },
      random: Math.random,
    });
    const evidence = presenting(peer.facts);
    let verdicts = 0;
    let verdictMs = 0;
    const ask = (): void => {
      const start = performance.now();
      judgePeer(evidence, snapshot, Date.now(), { crls: revocation.crls, ocsp: revocation.ocsp });
      verdictMs = Math.max(verdictMs, performance.now() - start);
      verdicts += 1;
    };
    const warm = performance.now() + 500;
    await longestTurn(() => performance.now() > warm, ask);
    const quiet = performance.now() + 500;
    const idleStallMs = await longestTurn(() => performance.now() > quiet, ask);
    const before = await memory();
    verdicts = 0;
    verdictMs = 0;
    const start = performance.now();
    revocation.start(() => {});
    const stallMs = await longestTurn(() => revocation.crls.length > 0, ask);
    const loadMs = performance.now() - start;
    // The first verdict that uses the list counts too.
    ask();
    const after = await memory();
    const megabytes = after.resident - before.resident;
    const heldMegabytes = after.held - before.held;
    const [list] = revocation.crls;
    if (list?.entryCount !== entries) throw new Error(`expected ${entries} entries, found ${list?.entryCount}`);
    await revocation.close();
    const octets = readFileSync(file);
    const began = performance.now();
    parseCrl(octets);
    const readMs = performance.now() - began;
    const { length } = octets;
    return {
      entries,
      octets: length,
      readMs,
      loadMs,
      stallMs,
      idleStallMs,
      verdicts,
      verdictMs,
      megabytes,
      heldMegabytes,
    };
  } finally {
    await server.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const sizes = process.argv.slice(2).map(Number);
  for (const entries of sizes.length > 0 ? sizes : [100_000, 600_000]) {
    const cost = await measureCrl(entries);
    const ms = (value: number): string => `${value.toFixed(1)} ms`;
    process.stdout.write(
      [
        `CRL of ${entries} entries, ${(cost.octets / 2 ** 20).toFixed(1)} MB`,
        `  loaded in ${ms(cost.loadMs)} (reading alone ${ms(cost.readMs)})`,
        `  longest turn of the event loop ${ms(cost.stallMs)} (without a list ${ms(cost.idleStallMs)})`,
        `  ${cost.verdicts} verdicts meanwhile, the longest ${ms(cost.verdictMs)}`,
        `  ${cost.megabytes.toFixed(1)} MB of resident memory, ${cost.heldMegabytes.toFixed(1)} MB held`,
        '',
      ].join('\n'),
    );
  }
}
