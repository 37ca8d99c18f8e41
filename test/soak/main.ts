/**
 * `make soak`: half an hour (or SIPTRUST_SOAK_SECONDS) of calls while siptrustd is killed, policies change and
 * certificates rotate; writes docs/soak.md and the raw numbers. SIPTRUST_SOAK_RATE sets the calls a second of each side,
 * SIPTRUST_SOAK_OUT another directory. Exit code 1 where something did not hold.
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installedBuild } from '../support/live/kamailio.js';
import { complaints, csv, page } from './report.js';
import { soak } from './run.js';

/** A number from the environment; undefined: it is not set. */
function setting(name: string): number | undefined {
  const text = process.env[name];
  if (text === undefined || text === '') return undefined;
  const value = Number(text);
  if (!(value > 0)) throw new Error(`${name}: expected a number above 0, found ${JSON.stringify(text)}`);
  return value;
}

const rate = setting('SIPTRUST_SOAK_RATE');
const report = await soak({
  seconds: setting('SIPTRUST_SOAK_SECONDS') ?? 1800,
  ...(rate === undefined ? {} : { rate }),
  every: { kill: 60, reload: 10, rotate: 30, connect: 0.5, sample: 10 },
});
const found = complaints(report, { memory: report.options.seconds >= 600 });
const out = process.env.SIPTRUST_SOAK_OUT ?? fileURLToPath(new URL('../../docs', import.meta.url));
const machine = `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}, Kamailio ${installedBuild().version}, Node ${process.versions.node}`;
mkdirSync(join(out, 'data'), { recursive: true });
writeFileSync(join(out, 'data/soak.json'), `${JSON.stringify(report, null, 1)}\n`);
writeFileSync(join(out, 'data/soak.csv'), csv(report));
const text = page(report, found, machine);
writeFileSync(join(out, 'soak.md'), text);
console.log(text);
if (found.length > 0) process.exitCode = 1;
