/**
 * `make soak`: half an hour (or SIPTRUST_SOAK_SECONDS) of calls while siptrustd is killed, policies change and
 * certificates rotate; writes the raw numbers, and docs/soak.md from those of each Kamailio. SIPTRUST_SOAK_KAMAILIO=6
 * takes Kamailio 6, SIPTRUST_SOAK_RATE sets the calls a second of each side, SIPTRUST_SOAK_OUT another directory. Exit
 * code 1 where something did not hold.
 */

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installedBuild, suiteBuild } from '../support/live/kamailio.js';
import { longWork } from '../support/live/long-work.js';
import { complaints, csv, page } from './report.js';
import { type SoakReport, soak } from './run.js';

/** A number from the environment; undefined: it is not set. */
function setting(name: string): number | undefined {
  const text = process.env[name];
  if (text === undefined || text === '') return undefined;
  const value = Number(text);
  if (!(value > 0)) throw new Error(`${name}: expected a number above 0, found ${JSON.stringify(text)}`);
  return value;
}

const build = process.env.SIPTRUST_SOAK_KAMAILIO === '6' ? suiteBuild('trixie') : installedBuild();
if ('missing' in build) throw new Error(build.missing);
const rate = setting('SIPTRUST_SOAK_RATE');
const seconds = setting('SIPTRUST_SOAK_SECONDS') ?? 1800;
await longWork('soak', seconds, async (progress) => {
  progress.at(0, 'the proxies start, and it is measured what they stand');
  const report = await soak(build, {
    seconds,
    ...(rate === undefined ? {} : { rate }),
    every: { kill: 60, reload: 10, rotate: 30, connect: 0.5, sample: 10 },
    look: (second, doing) => progress.at(second, doing),
  });
  progress.clear();
  const found = complaints(report, { memory: seconds >= 600 });
  const out = process.env.SIPTRUST_SOAK_OUT ?? fileURLToPath(new URL('../../docs', import.meta.url));
  const data = join(out, 'data');
  mkdirSync(data, { recursive: true });
  writeFileSync(join(data, `soak-${report.kamailio}.json`), `${JSON.stringify(report, null, 1)}\n`);
  writeFileSync(join(data, `soak-${report.kamailio}.csv`), csv(report));
  const files = readdirSync(data).filter((name) => /^soak-.*\.json$/.test(name));
  const reports = files.sort().map((name) => JSON.parse(readFileSync(join(data, name), 'utf8')) as SoakReport);
  const text = page(reports, `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}, Node ${process.versions.node}`);
  writeFileSync(join(out, 'soak.md'), text);
  console.log(text);
  for (const complaint of found) console.error(complaint);
  return found.length > 0 ? 1 : 0;
});
