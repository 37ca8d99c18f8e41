/**
 * 500 imported partners: processor time to import, to check, to load, to answer. `npx tsx test/bench/imported.ts`;
 * docs/moving-in.md prints what was measured.
 */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadPolicy } from '../../src/policy/loading/loader.js';
import { offlineAnswers } from '../../src/rpc/listeners/offline.js';
import { PolicyHolder } from '../../src/state/policy/holder.js';
import { DAY, ext, leaf, root } from '../support/certificates.js';
import { siptrustctl } from '../support/command-line.js';
import { question } from '../support/evidence.js';

const PARTNERS = 500;
const directory = mkdtempSync(join(tmpdir(), 'siptrust-imported-'));
const path = (name: string) => join(directory, name);
const times = { notBefore: Date.now() - DAY, notAfter: Date.now() + 300 * DAY };

/** Milliseconds of processor that an act takes: what else the machine does is no part of it. */
async function timed<T>(what: string, act: () => T | Promise<T>): Promise<T> {
  const before = process.cpuUsage();
  const result = await act();
  const { user, system } = process.cpuUsage(before);
  process.stdout.write(`${what}: ${((user + system) / 1000).toFixed(0)} ms\n`);
  return result;
}

try {
  mkdirSync(path('partners'));
  const leaves = Array.from({ length: PARTNERS }, (_, number) => {
    const authority = root({ ...times, subject: `CN=CA of partner ${number}` });
    const peer = leaf(authority, {
      ...times,
      extensions: { altNames: ext.altNames([{ dns: `p${number}.example` }]) },
    });
    writeFileSync(path(`partners/p${number}.pem`), peer.pem + authority.pem);
    return peer.pem;
  });
  const rows = leaves.map((_, number) => `${number},1,10.${number >> 8}.${number & 255}.1,32,0,n${number}.example`);
  writeFileSync(path('address.csv'), `id,grp,ip_addr,mask,port,tag\n${rows.join('\n')}\n`);

  const certificates = ['certificates', path('partners'), '--out', path('tls.yaml')];
  const addresses = ['address', path('address.csv'), '--interface', 'za', '--listen', '10.0.0.1:5062'];
  for (const [what, args] of [
    ['certificates', certificates],
    ['addresses', [...addresses, '--out', path('za.yaml')]],
  ] as const) {
    const { code, output, error } = await timed(`import of ${PARTNERS} ${what}`, () =>
      siptrustctl(['import', ...args]),
    );
    if (code !== 0) throw new Error(output + error);
  }

  writeFileSync(path('siptrust.yaml'), `own_domains: [a.example]\ninclude: [tls.yaml, za.yaml]\n`);
  const load = () => loadPolicy(path('siptrust.yaml'), 1, Date.now());
  await timed(`check or load ${2 * PARTNERS} agreements`, load);
  await timed('the same again', load);

  const holder = PolicyHolder.open(load, Date.now());
  if ('problems' in holder) throw new Error(holder.problems.join('\n'));
  const answer = offlineAnswers(holder, 'trust.peer');
  const ask = (pem: string) => answer(question(pem));
  await timed(`first answers on ${PARTNERS} certificates`, () => leaves.forEach(ask));
} finally {
  rmSync(directory, { recursive: true });
}
