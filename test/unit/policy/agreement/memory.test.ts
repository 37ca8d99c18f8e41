import { describe, expect, test } from 'vitest';
import { PolicyMemory } from '../../../../src/policy/agreement/memory.js';
import { formatProblem } from '../../../../src/policy/reading/problem.js';
import { checkPolicy } from '../../../../src/policy/snapshot/compile.js';
import { LONG } from '../../../support/runs.js';
import { CA_PEM, LEAF_PEM, MATERIAL, NOW } from '../fixtures.js';
import { Stamped } from '../stamped.js';

const DAY = 86_400_000;

function agreement(name: string, more = ''): string {
  return `agreements:\n  - {name: ${name}, domains: [${name}.example], mechanism: tls, anchors: [../ca.pem]${more}}\n`;
}

function stage(count = 3) {
  const files = new Stamped({ ...MATERIAL, 'p.yaml': 'own_domains: [a.example]\ninclude: d/*.yaml\n' });
  for (let at = 0; at < count; at++) files.content[`d/${at}.yaml`] = agreement(`op-${at}`);
  const memory = new PolicyMemory();
  const check = (now = NOW, kept: PolicyMemory | undefined = memory) => {
    files.reads = [];
    const checked = checkPolicy(files, 'p.yaml', 7, now, kept);
    kept?.settle();
    const said = (checked.ok ? checked.warnings : checked.problems).map(formatProblem);
    const items = checked.ok ? [...checked.parts.agreements] : [];
    return { said, items, reads: files.reads };
  };
  /** The same without memory: what it has to be like. */
  const anew = (now = NOW) => checkPolicy(new Stamped(files.content), 'p.yaml', 7, now);
  return { files, check, anew };
}

describe('what is remembered of a policy', () => {
  test('ok/of many files only the changed one is read, and the rest stays the same objects', () => {
    const { files, check } = stage();
    const first = check();
    expect(first.reads).toHaveLength(5);
    files.content['d/1.yaml'] = agreement('op-1', ', require_tls: true');
    const second = check();
    expect(second.reads).toEqual(['d/1.yaml']);
    expect(second.items.map((item, at) => item === first.items[at])).toEqual([true, false, true]);
    expect(second.items[1]?.requireTls).toBe(true);
  });

  describe('of one file', () => {
    const lines = (name: string, more = '') =>
      `  - name: ${name}\n    domains: [${name}.example]\n    mechanism: tls\n    anchors: [ca.pem]\n${more}`;
    const ADVISORY = '    stack_verification: advisory\n';
    const one = (...entries: readonly string[]) => `own_domains: [a.example]\nagreements:\n${entries.join('')}`;
    const memory = new PolicyMemory();
    const check = (text: string) => {
      const files = new Stamped({ ...MATERIAL, 'p.yaml': text });
      const checked = checkPolicy(files, 'p.yaml', 7, NOW, memory);
      memory.settle();
      const anew = checkPolicy(files, 'p.yaml', 7, NOW);
      const said = (result: typeof checked) => (result.ok ? result.warnings : result.problems).map(formatProblem);
      expect(said(checked)).toEqual(said(anew));
      return { items: checked.ok ? [...checked.parts.agreements] : [], said: said(checked) };
    };
    const first = check(one(lines('one'), lines('two', ADVISORY), lines('three'), lines('four')));

    test('ok/agreements whose lines are the same stay the same objects, wherever they stand now', () => {
      const { items } = check(
        one(lines('zero'), '    # new\n', lines('one', '    enabled: false\n'), lines('three'), lines('four')),
      );
      expect(items.map((item) => first.items.indexOf(item))).toEqual([-1, -1, 2, 3]);
      expect(check(one(lines('four'))).items[0]).toBe(first.items[3]);
    });

    test('ok/one in front that names the same files for more is no reason to check those behind it', () => {
      const both = '    intermediates: [ca.pem]\n';
      const { items } = check(one(lines('one', both), lines('two'), lines('three')));
      const after = check(one(lines('one', `${both}    enabled: false\n`), lines('two'), lines('three')));
      expect(after.items.map((item) => items.indexOf(item))).toEqual([-1, 1, 2]);
    });

    test('ok/what was said of one is said again at its place of now', () => {
      check(one(lines('one'), lines('two', ADVISORY)));
      const { said } = check(one(lines('two', ADVISORY), lines('one')));
      expect(said).toEqual([expect.stringContaining('p.yaml:7:25: warning: agreements[0].stack_verification')]);
    });

    test('fail/one that stands twice, though both say what is known', () => {
      check(one(lines('one'), lines('two')));
      const { said } = check(one(lines('one'), lines('one'), lines('two')));
      expect(said[0]).toContain('p.yaml:7:11: error: agreements[1].name: expected a name of its own');
    });

    test('ok/of 50,001 agreements none is kept', () => {
      const entries = (count: number): number => {
        const text = one('  - {name: x}\n'.repeat(count));
        checkPolicy(new Stamped({ 'p.yaml': text }), 'p.yaml', 7, NOW, memory);
        memory.settle();
        return memory.entries;
      };
      expect([entries(50_001), entries(3)]).toEqual([0, 3]);
    });
  });

  test('ok/a pattern that is no longer asked for is forgotten', () => {
    const files = new Stamped({ 'd/1.yaml': '' });
    const memory = new PolicyMemory();
    const expand = (pattern: string) => {
      const found = memory.expand(pattern, files).found;
      memory.settle();
      return found;
    };
    const first = expand('d/*.yaml');
    expect(expand('d/*.yaml')).toBe(first);
    expand('e/*.yaml');
    expect(expand('d/*.yaml')).not.toBe(first);
  });

  test('ok/files that come and go', () => {
    const { files, check } = stage();
    check();
    files.content['d/9.yaml'] = agreement('op-9');
    delete files.content['d/0.yaml'];
    expect(check().items.map(({ name }) => name)).toEqual(['op-1', 'op-2', 'op-9']);
    files.content['d/0.yaml'] = agreement('op-0');
    expect(check().reads).toEqual(['d/0.yaml']);
  });

  test('ok/a certificate that changes changes the agreements that name it', () => {
    const { files, check } = stage();
    check();
    files.content['ca.pem'] = `${CA_PEM}${LEAF_PEM}`;
    const { items, reads, said } = check();
    expect(reads).toEqual(['ca.pem']);
    expect(items[2]?.anchors.client).toHaveLength(2);
    expect(said).toHaveLength(3);
    expect(check().said).toEqual(said);
  });

  test('ok/defaults that change count for all', () => {
    const { files, check } = stage();
    check();
    files.content['p.yaml'] = `${files.content['p.yaml']}defaults: {privacy: rfc3325}\n`;
    expect(check().items.map(({ privacy }) => privacy)).toEqual(['rfc3325', 'rfc3325', 'rfc3325']);
  });

  test('ok/warnings are said again', () => {
    const { files, check } = stage();
    files.content['d/1.yaml'] = agreement('op-1', ', stack_verification: advisory');
    const { said } = check();
    expect(said).toHaveLength(1);
    const again = check();
    expect(again.reads).toEqual([]);
    expect(again.said).toEqual(said);
  });

  test('fail/a claim of a changed file against one that was remembered', () => {
    const { files, check } = stage();
    check();
    files.content['d/2.yaml'] = agreement('op-2').replace('op-2.example', 'op-0.example');
    const said = 'd/2.yaml:2:28: error: agreements[0].domains[0]: op-0.example is claimed by agreement op-0 already';
    expect(check().said).toEqual([expect.stringContaining(said)]);
    expect(check().said).toEqual([expect.stringContaining('at d/0.yaml:2:28')]);
  });

  for (const [name, text] of [
    ['broken YAML', 'agreements: [\n'],
    ['a mistake in an agreement', agreement('op-1', ', privacy: x')],
    ['a certificate that is not there', agreement('op-1').replace('ca.pem', 'cb.pem')],
  ] as const) {
    test(`fail/${name} is said each time, and is gone when it is mended`, () => {
      const { files, check } = stage();
      check();
      files.content['d/1.yaml'] = text;
      const { said } = check();
      expect(said[0]).toContain(': error: ');
      expect(check().said).toEqual(said);
      files.content['d/1.yaml'] = agreement('op-1');
      expect(check().said).toEqual([]);
    });
  }

  test('ok/time goes on: at each day everything is said and made as without memory', () => {
    const { files, check, anew } = stage(4);
    files.content['d/0.yaml'] = agreement('op-0', ', valid: {from: 2026-07-01, until: 2026-09-01}');
    files.content['d/3.yaml'] = agreement('op-3', ', valid: {from: 2026-07-01, until: 2027-03-01}');
    files.content['d/1.yaml'] = agreement('op-1', ', crls: [../b.crl]');
    const iface = 'interfaces: [{name: za, listen: 10.0.0.1:5062, mechanism: nds-ip, implicit_trust: true}]\n';
    files.content['p.yaml'] = `${files.content['p.yaml']}${iface}`;
    const migration = ', migration: {interface: za, sources: [192.0.2.0/28], until: 2026-08-15}';
    files.content['d/2.yaml'] = agreement('op-2', migration);
    // Each day of the first four months in `make fuzz`: of the texts that count days, each is another.
    const [step, leap] = LONG ? [1, 40] : [5, 120];
    const told = new Set<string>();
    for (let day = 0; day < 3600; day += day < 120 ? step : leap) {
      const now = NOW + day * DAY;
      const { said, items } = check(now);
      const direct = anew(now);
      if (!direct.ok) throw new Error('expected a policy');
      expect(said).toEqual(direct.warnings.map(formatProblem));
      expect(items).toEqual(direct.parts.agreements);
      for (const line of said) told.add(line);
    }
    expect(told.size).toBeGreaterThan(30 / step);
  });
});
