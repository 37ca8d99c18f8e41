/**
 * Prints what a PrefixTable costs from 10 to 1,000,000 prefixes: build time, memory, look-up time.
 * Run: `node --expose-gc --import tsx test/bench/prefix-table.ts`.
 */

import { type Address, addressFromBytes } from '../../src/net/address/address.js';
import { type AddressPrefix, prefixOf } from '../../src/net/address/prefix.js';
import { PrefixTable } from '../../src/net/address/prefix-table.js';
import { seeded } from '../support/random.js';

const SIZES = [10, 100, 1_000, 10_000, 100_000, 1_000_000];
const LOOKUPS = 1_000_000;
const SEED = 20_260_701;

function randomAddress(next: () => number, family: 4 | 6): Address {
  const bytes = Uint8Array.from({ length: family === 4 ? 4 : 16 }, () => Math.floor(next() * 256));
  // 2000::/3, so that prefixes and addresses meet.
  if (family === 6) bytes.set([0x20, Math.floor(next() * 4)], 0);
  return addressFromBytes(bytes) as Address;
}

/** Distinct prefixes of many lengths, made on the fly so that they do not count as memory of the table. */
function* prefixes(count: number, family: 4 | 6): Generator<readonly [AddressPrefix, number]> {
  const next = seeded(SEED).next;
  const seen = new Set<string>();
  while (seen.size < count) {
    const length = family === 4 ? 12 + Math.floor(next() * 21) : 24 + Math.floor(next() * 105);
    const prefix = prefixOf(randomAddress(next, family), length);
    if (seen.has(prefix.text)) continue;
    seen.add(prefix.text);
    yield [prefix, seen.size];
  }
}

/** Bytes in use after collection; the turn of the event loop lets freed array buffers be counted off. */
async function memory(): Promise<number> {
  for (let round = 0; round < 3; round++) {
    globalThis.gc?.();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

console.log('family  prefixes   build ms   memory MiB   look-up ns   hits %');
for (const family of [4, 6] as const) {
  for (const size of SIZES) {
    const entries = [...prefixes(size, family)];
    const before = await memory();
    const start = performance.now();
    const table = PrefixTable.of(entries);
    const built = performance.now() - start;
    const mebibytes = ((await memory()) - before) / 2 ** 20;

    const next = seeded(SEED + 1).next;
    const addresses = Array.from({ length: 100_000 }, (_, at) => {
      const entry = entries[Math.floor(next() * entries.length)];
      // Half of them inside a known prefix, half anywhere.
      const anywhere = randomAddress(next, family);
      if (at % 2 === 0 || !entry) return anywhere;
      const bytes = anywhere.bytes.map((byte, byteAt) =>
        byteAt * 8 + 8 <= entry[0].length ? (entry[0].bytes[byteAt] ?? 0) : byte,
      );
      return addressFromBytes(bytes) as Address;
    });
    let hits = 0;
    for (const address of addresses) if (table.lookup(address) !== undefined) hits++;
    const rounds = LOOKUPS / addresses.length;
    const lookupStart = performance.now();
    for (let round = 0; round < rounds; round++) for (const address of addresses) table.lookup(address);
    const nanoseconds = ((performance.now() - lookupStart) * 1e6) / LOOKUPS;
    console.log(
      [
        `IPv${family}`.padEnd(6),
        String(size).padStart(9),
        built.toFixed(1).padStart(10),
        mebibytes.toFixed(1).padStart(12),
        nanoseconds.toFixed(0).padStart(12),
        ((100 * hits) / addresses.length).toFixed(0).padStart(8),
      ].join(' '),
    );
  }
}
