/** The alerts of plugin/prometheus: promtool reads them, and runs their tests. */

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { METRICS } from '../../src/rpc/metrics/table.js';

const FOLDER = join(import.meta.dirname, '../../plugin/prometheus');
const TESTS = ['siptrust.rules.test.yml', 'siptrust.days.test.yml'];
const rules = readFileSync(join(FOLDER, 'siptrust.rules.yml'), 'utf8');
const { groups } = parse(rules) as { groups: { rules: { alert: string; labels: { severity: string } }[] }[] };
const alerts = groups.flatMap((group) => group.rules);

/** Whether promtool is installed (Debian's package prometheus). */
function promtool(...args: string[]): string | undefined {
  try {
    return execFileSync('promtool', args, { cwd: FOLDER, encoding: 'utf8', stdio: 'pipe' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`promtool ${args.join(' ')}:\n${stdout}${stderr}`);
  }
}

describe('plugin/prometheus/siptrust.rules.yml', () => {
  test('ok/every metric of ours that it asks for is in the table', () => {
    const names: string[] = Object.values(METRICS).map(({ name }) => name);
    const asked = [...rules.matchAll(/\bsiptrust_[a-z_]+\b/g)].map(([name]) => name);
    for (const name of asked) {
      if (rules.includes(`kamailio_script_${name}`)) continue;
      expect(names).toContain(name.replace(/_(?:bucket|sum|count)$/, ''));
    }
  });
  test('ok/every alert is in docs/operating.md, and none besides', () => {
    const doc = readFileSync(join(FOLDER, '../../docs/operating.md'), 'utf8');
    const listed = [...doc.slice(doc.indexOf('\n## Alerts\n')).matchAll(/^\| (`.*?`) \|/gm)].flatMap(([, cell = '']) =>
      [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name),
    );
    expect(listed.sort()).toEqual(alerts.map(({ alert }) => alert).sort());
  });
  test('ok/every alert has a test that sees it fire', () => {
    const tests = TESTS.map((file) => readFileSync(join(FOLDER, file), 'utf8')).join('');
    for (const { alert } of alerts) expect(tests).toMatch(new RegExp(`alertname: ${alert}\\n\\s+exp_alerts:\\n`));
  });
  test('ok/promtool takes the rules, and their tests pass', ({ skip }) => {
    if (promtool('check', 'rules', 'siptrust.rules.yml') === undefined) {
      skip('promtool is not installed: make setup (package prometheus)');
    }
    expect(promtool('test', 'rules', ...TESTS)).toContain('SUCCESS');
  }, 300_000);
});
