import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PolicyMemory } from '../../../../src/policy/agreement/memory.js';
import type { PlacedAgreement } from '../../../../src/policy/claims/claims.js';
import { KnownClaims } from '../../../../src/policy/claims/known-claims.js';
import { formatProblem } from '../../../../src/policy/reading/problem.js';
import { checkPolicy } from '../../../../src/policy/snapshot/compile.js';
import { runs } from '../../../support/runs.js';
import { compile, compiled, expectWrittenAlike, MATERIAL, NOW, text } from '../fixtures.js';
import { Stamped } from '../stamped.js';

const FILES = 5;
const DOMAINS = ['b.example', 'c.example', 'd.example', 'e.example', 'f.example', 'g.example'];
const INTERFACE = 'interfaces: [{name: za, listen: 10.0.0.1:5062, mechanism: nds-ip, implicit_trust: true}]';
const RUNS = runs(60);

/** Few names, so that agreements meet; most have their own. */
const entry = fc
  .record({
    name: fc.constantFrom('one', 'One', 'two', 'three', 'four', 'five', 'six', 'seven'),
    domains: fc.uniqueArray(fc.constantFrom(...DOMAINS), { minLength: 1, maxLength: 2 }),
    nds: fc.boolean(),
    asserts: fc.option(fc.constantFrom(...DOMAINS, 'a.example')),
    target: fc.option(fc.integer({ min: 5061, max: 5064 })),
    interconnect: fc.constantFrom('roaming', 'non-roaming', 'loopback'),
    prefix: fc.integer({ min: 0, max: 9 }),
  })
  .map(({ name, domains, nds, asserts, target, interconnect, prefix }) => {
    const how = nds
      ? `mechanism: nds-ip, interface: za, sources: [192.0.2.${prefix}/32]`
      : `mechanism: tls, anchors: [../ca.pem]${target === null ? '' : `, targets: ["192.0.2.1:${target}"]`}`;
    const said = asserts === null ? '' : `, asserts: {domains: [${asserts}]}`;
    return `  - {name: ${name}, domains: [${domains.join(', ')}], ${how}, interconnect: ${interconnect}${said}}`;
  });
const file = fc.array(entry, { maxLength: 2 }).map((entries) => text('agreements:', ...entries));
/** One file after the other is written, taken away, or what is ours changes. */
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ at: fc.integer({ min: 0, max: FILES - 1 }), file: fc.option(file) }) },
  { weight: 1, arbitrary: fc.record({ own: fc.constantFrom('a.example', 'g.example', 'a.example, g.example') }) },
);

/** The parts of a policy in files of their own, or one after the other in the main file, in block style. */
type Written = (own: string, parts: ReadonlyMap<number, string>) => Readonly<Record<string, string>>;

const inMany: Written = (own, parts) => ({
  ...{ 'p.yaml': main(own), 'd/x.yaml': '{}\n' },
  ...Object.fromEntries([...parts].map(([at, part]) => [`d/${at}.yaml`, part])),
});
const inOne: Written = (own, parts) => {
  const entries = [...parts].sort(([a], [b]) => a - b).flatMap(([, part]) => part.split('\n').slice(1, -1));
  const blocks = entries.map((each) =>
    each
      .replace(/\{(.*)\}$/, '$1')
      .replace(/, (?=(?:domains|mechanism|anchors|targets|interface|sources|interconnect|asserts):)/g, '\n    ')
      .replace('../', ''),
  );
  const list = blocks.length === 0 ? ['agreements: []'] : ['agreements:', ...blocks];
  return { 'p.yaml': main(own).replace('include: d/*.yaml', list.join('\n')) };
};

const main = (own: string): string => text(`own_domains: [${own}]`, INTERFACE, 'include: d/*.yaml');

describe('claims that are known from the reading before', () => {
  test.each([
    ['of many files', inMany],
    ['of one file', inOne],
  ])('ok/whatever changes in a policy %s, all is said and made as by a check of all', (_, written) => {
    const seen = { silent: 0, told: 0 };
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 12 }), (steps) => {
        const parts = new Map<number, string>();
        let own = 'a.example';
        const memory = new PolicyMemory();
        for (const each of steps) {
          if ('own' in each) own = each.own;
          else if (each.file === null) parts.delete(each.at);
          else parts.set(each.at, each.file);
          const files = new Stamped({ ...MATERIAL, ...written(own, parts) });
          const known = checkPolicy(files, 'p.yaml', 7, NOW, memory);
          memory.settle();
          const anew = checkPolicy(new Stamped(files.content), 'p.yaml', 7, NOW);
          expect(said(known)).toEqual(said(anew));
          expect(known.ok && known.parts.agreements).toEqual(anew.ok && anew.parts.agreements);
          expectWrittenAlike(files.content, anew);
          if (said(anew).some((line) => /already|own_domains|proves itself|of its own/.test(line))) seen.told += 1;
          else seen.silent += 1;
        }
      }),
      { numRuns: RUNS },
    );
    // Both ways were gone, and often.
    expect(seen.silent).toBeGreaterThan(RUNS);
    expect(seen.told).toBeGreaterThan(RUNS);
  });

  const path =
    '  - {name: path, domains: [p.example], mechanism: nds-ip, interface: za, sources: [192.0.2.0/32], asserts: {domains: [b.example]}}';
  const tls = (name: string, domain: string, more = ''): string =>
    `  - {name: ${name}, domains: [${domain}], mechanism: tls, anchors: [../ca.pem]${more}}`;
  test.each([
    ['a name', tls('one', 'c.example'), tls('One', 'd.example'), 'a.example', 'expected a name of its own'],
    ['a domain', tls('one', 'c.example'), tls('two', 'c.example'), 'a.example', 'is claimed by agreement one already'],
    [
      'a target',
      tls('one', 'c.example', ', targets: ["192.0.2.1:5061"]'),
      tls('two', 'd.example', ', targets: ["192.0.2.1:5061"]'),
      'a.example',
      '192.0.2.1 port 5061 is claimed by agreement one already',
    ],
    ['what a path asserts', tls('one', 'b.example'), path, 'a.example', 'b.example proves itself by certificate'],
    ['its domain, which a path asserts', path, tls('one', 'b.example'), 'a.example', 'b.example proves itself'],
    [
      'a domain of ours',
      tls('one', 'b.example'),
      tls('two', 'a.example'),
      'a.example',
      'a.example is one of own_domains',
    ],
    [
      'other domains of ours',
      tls('one', 'b.example'),
      tls('two', 'c.example'),
      'b.example',
      'b.example is one of own_domains',
    ],
    [
      'to assert what is ours',
      tls('one', 'b.example'),
      tls('two', 'c.example', ', asserts: {domains: [a.example]}'),
      'a.example',
      'a.example is one of own_domains',
    ],
  ])('fail/%s, that one policy has not and the next one has', (_, first, second, own, expected) => {
    const files = new Stamped({ ...MATERIAL, 'p.yaml': main('a.example') });
    files.content['d/1.yaml'] = text('agreements:', first);
    const memory = new PolicyMemory();
    const check = () => {
      const checked = said(checkPolicy(files, 'p.yaml', 7, NOW, memory)).filter(
        (line) => !line.includes('interface za'),
      );
      memory.settle();
      return checked;
    };
    expect(check()).toEqual([]);
    files.content['d/2.yaml'] = text('agreements:', second);
    files.content['p.yaml'] = main(own);
    const [told, ...more] = check();
    expect(told).toContain(expected);
    expect(more).toEqual([]);
    files.content['p.yaml'] = main('a.example');
    delete files.content['d/2.yaml'];
    expect(check()).toEqual([]);
  });

  test('ok/of many only what came or went is looked at', () => {
    let looked = 0;
    const own = new Map();
    const placed = (name: string): PlacedAgreement => {
      const policy = `own_domains: [a.example]\nagreements: [{name: ${name}, domains: [${name}.example], mechanism: tls, anchors: [ca.pem]}]\n`;
      const [agreement] = compiled(compile(policy)).snapshot.agreements;
      if (agreement === undefined) throw new Error('expected an agreement');
      const counted = new Proxy(agreement, {
        get: (target, key) => {
          if (key === 'domains') looked += 1;
          return Reflect.get(target, key);
        },
      });
      return { item: counted, terms: counted, site: undefined as never, input: undefined as never };
    };
    const all = Array.from({ length: 50 }, (_, at) => placed(`op-${at}`));
    const known = new KnownClaims();
    let checks = 0;
    const check = (agreements: readonly PlacedAgreement[]): number => {
      looked = 0;
      known.check(agreements, own, (every) => {
        every();
        checks += 1;
        return false;
      });
      return looked;
    };
    check(all);
    expect(checks).toBe(1);
    expect(check(all)).toBe(0);
    expect(check(all.with(7, placed('other')))).toBe(2);
    expect(check(all.slice(1))).toBe(3);
    expect(check([...all.slice(1), placed('last')])).toBe(1);
    expect(checks).toBe(1);
  });
});

function said(result: ReturnType<typeof checkPolicy>): readonly string[] {
  return (result.ok ? result.warnings : result.problems).map(formatProblem);
}
