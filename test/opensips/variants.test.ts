/** The scripts that menuconfig makes, by each of its choices, after the steps of docs/opensips.md: doctor misses nothing in them. */

import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { opensipsChecks } from '../../src/ctl/doctor/opensips-checks.js';
import type { Site } from '../../src/ctl/doctor/site.js';
import { type StockName, stepsTaken, withoutLocalRoute } from '../support/live/opensips-steps.js';
import { BUILD, theBuild } from './stage.js';

const PLUGIN = fileURLToPath(new URL('../../plugin/opensips/', import.meta.url));
const NAMES: readonly StockName[] = ['residential', 'trunking', 'loadbalancer'];
const work = mkdtempSync(join(tmpdir(), 'siptrust-variants-'));
afterAll(() => rmSync(work, { recursive: true, force: true }));

const folder = join(dirname(BUILD?.program ?? '/none'), 'menuconfig/configs');
const definitions = (name: StockName): string => join(folder, `opensips_${name}_def.m4`);

/** `name` with one choice of menuconfig the other way, or with all of them. */
function variants(name: StockName): readonly (readonly [string, string, RegExp])[] {
  if (!existsSync(definitions(name))) return [];
  const flags = [...readFileSync(definitions(name), 'utf8').matchAll(/^define\(`(\w+)',/gm)].map(
    ([, flag = '']) => flag,
  );
  return [
    ...flags.map((flag) => [`${name} ${flag}`, name, new RegExp(`(?<=\`${flag}', \`)(no|yes)`, 'g')] as const),
    [`${name} all of them`, name, /(?<=', `)(no|yes)/g],
  ];
}

const ALL = NAMES.flatMap(variants);
if (BUILD !== undefined && ALL.length === 0) console.warn(`skipped: variants of menuconfig: nothing in ${folder}`);

/** The script as menuconfig makes it. */
function made(name: StockName, choice: RegExp): string {
  const changed = join(work, 'def.m4');
  const other = (found: string) => (found === 'no' ? 'yes' : 'no');
  writeFileSync(changed, readFileSync(definitions(name), 'utf8').replace(choice, other));
  return execFileSync('m4', [changed, join(folder, `opensips_${name}.m4`)], { encoding: 'utf8' });
}

/** What OpenSIPS says against a script; empty: nothing. */
function faults(script: string): string {
  const { program, modules } = theBuild();
  const text = script
    .replaceAll('loadmodule "db_mysql.so"', 'loadmodule "db_text.so"')
    .replace(/^mpath=.*$/m, `mpath="${modules}/"`)
    .replaceAll('/etc/opensips/siptrust/', `${work}/`);
  const file = join(work, 'opensips.cfg');
  writeFileSync(file, text);
  const { stderr, status } = spawnSync(program, ['-C', '-f', file], { encoding: 'utf8', cwd: work });
  return status === 0 ? '' : stderr;
}

function doctor(script: string): readonly string[] {
  const site = {
    options: { opensipsCfg: 'opensips.cfg' },
    opensips: { script: { value: [{ file: 'opensips.cfg', text: script }] }, plugin: { value: new Map() } },
  };
  const check = opensipsChecks.find(({ name }) => name === 'opensips-script');
  if (check === undefined) throw new Error('no check opensips-script');
  return check.look(site as unknown as Site).map(({ harm, found }) => `${harm} ${found}`);
}

describe.skipIf(ALL.length === 0)('menuconfig', () => {
  it.each(ALL)('ok/%s: doctor finds nothing', (_, name, choice) => {
    expect(doctor(stepsTaken(made(name as StockName, choice), theBuild()))).toEqual([]);
  });

  it.each(ALL)('ok/%s: OpenSIPS takes it, where it takes the script itself', (label, name, choice) => {
    const stock = made(name as StockName, choice);
    const script = stepsTaken(stock, theBuild());
    const loaded = [...script.matchAll(/^loadmodule "([a-z0-9_]+)\.so"/gm)].map(([, module = '']) => module);
    const own = faults(stock);
    // Some choices make no valid script (`$sp=5060` in a condition); others want modules that are not built.
    if (own !== '') return void console.warn(`skipped: ${label}: ${/^.*(?:error|ERROR|CRITICAL).*$/m.exec(own)?.[0]}`);
    // A script that loads TLS itself has no need of all of step 3.
    const twice = loaded.filter((module, at) => loaded.indexOf(module) !== at);
    const text = twice.reduce((held, module) => held.replace(`loadmodule "${module}.so"`, ''), script);
    cpSync(PLUGIN, work, { recursive: true });
    if (/^local_route/m.test(script)) {
      const plugin = join(work, 'siptrust.cfg');
      writeFileSync(plugin, withoutLocalRoute(readFileSync(plugin, 'utf8')));
    }
    expect(faults(text)).toBe('');
  });
});
