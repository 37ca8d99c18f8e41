import { describe, expect, test } from 'vitest';
import { PolicyMemory } from '../../../../src/policy/agreement/memory.js';
import { FILE_LIMITS, filesInMemory, type PolicyFiles } from '../../../../src/policy/reading/files.js';
import { formatProblem } from '../../../../src/policy/reading/problem.js';
import { checkPolicy } from '../../../../src/policy/snapshot/compile.js';
import { compile, compiled, NOW, said, text } from '../fixtures.js';
import { Stamped } from '../stamped.js';

const member = (name: string, more = ''): string =>
  `  - {name: ${name}, domains: [${name}.example], mechanism: tls, anchors: [ca.pem]${more}}`;
const limited = (limits: string, ...lines: readonly string[]): string =>
  text('own_domains: [a.example]', `daemon: {limits: {${limits}}}`, ...lines);

describe('what a policy may have at most, as daemon.limits says', () => {
  test('ok/as many agreements as that, in one file or several', () => {
    const policy = limited('agreements: 3', 'include: d/*.yaml', 'agreements:', member('b'));
    const more = { 'd/1.yaml': text('agreements:', member('c').replace('ca.pem', '../ca.pem')) };
    const other = { 'd/2.yaml': text('agreements:', member('d').replace('ca.pem', '../ca.pem')) };
    expect([...compiled(compile(policy, { ...more, ...other })).snapshot.agreements]).toHaveLength(3);
  });

  test('fail/one agreement more: the list that it stands in is told, and is not read', () => {
    const policy = limited('agreements: 1', 'include: d/*.yaml', 'agreements:', member('b'));
    const bad = { 'd/1.yaml': text('agreements:', '  - {name: 7}') };
    expect(said(compile(policy, bad))).toEqual([
      'd/1.yaml:2:3: error: agreements: expected at most 1 agreements in all files (daemon.limits.agreements), found 2 with those here',
    ]);
  });

  test.each([
    ['ok/as many prefixes as that', 3, []],
    [
      'fail/one prefix more',
      2,
      [
        'p.yaml:7:127: error: agreements[1].migration.sources: expected at most 2 prefixes in all agreements (daemon.limits.prefixes), found 3 with those here',
      ],
    ],
  ])('%s, by path and during a migration', (_, most, expected) => {
    const path =
      '  - {name: c, domains: [c.example], mechanism: nds-ip, interface: za, sources: [192.0.2.0/28, 198.51.100.0/28]}';
    const policy = limited(
      `prefixes: ${most}`,
      'interfaces:',
      '  - {name: za, listen: 10.0.0.1:5062, mechanism: nds-ip, implicit_trust: true}',
      'agreements:',
      path,
      member('d', ', migration: {until: 2026-12-31, interface: za, sources: [203.0.113.0/28]}'),
    );
    expect(said(compile(policy)).filter((line) => line.includes(' error: '))).toEqual(expected);
  });

  test.each([
    ['ok/as many files as that', 3, []],
    [
      'fail/one file more: none of them is read',
      2,
      ['p.yaml:3:10: error: include: expected at most 2 policy files with this one (daemon.limits.files), found 3'],
    ],
  ])('%s', (_, most, expected) => {
    const policy = limited(`files: ${most}`, 'include: d/*.yaml');
    const more = { 'd/1.yaml': 'own_domains: [b.example]\n', 'd/2.yaml': 'own_domains: [c.example]\n' };
    expect(said(compile(policy, more))).toEqual(expected);
  });

  test('ok/a file larger than one may be else, where the limit is raised', () => {
    const asked: number[] = [];
    const files = filesInMemory({ 'p.yaml': limited('file: 268435456', 'include: d.yaml'), 'd.yaml': '{}\n' });
    const watched: PolicyFiles = {
      ...files,
      read: (path, most) => {
        asked.push(most);
        return files.read(path, most);
      },
    };
    expect(checkPolicy(watched, 'p.yaml', 7, NOW).ok).toBe(true);
    // The main file says it, and is read before that is known.
    expect(asked).toEqual([FILE_LIMITS.policy, 268_435_456]);
  });

  test('fail/an included file beyond the limit, which the main file may be', () => {
    const policy = limited('file: 1024', 'include: d.yaml', `# ${'x'.repeat(2000)}`);
    expect(said(compile(policy, { 'd.yaml': `# ${'x'.repeat(2000)}\nagreements: []\n` }))).toEqual([
      'p.yaml:3:10: error: include: d.yaml: expected at most 1024 bytes, found 2018',
    ]);
  });

  test('fail/a file that is remembered, once the limit is lower', () => {
    const files = new Stamped({ 'd.yaml': `# ${'x'.repeat(2000)}\nagreements: []\n` });
    const memory = new PolicyMemory();
    const check = (limits: string) => {
      files.content['p.yaml'] = limited(limits, 'include: d.yaml');
      const checked = checkPolicy(files, 'p.yaml', 7, NOW, memory);
      memory.settle();
      return (checked.ok ? checked.warnings : checked.problems).map(formatProblem);
    };
    expect(check('')).toEqual([]);
    expect(check('file: 1024')).toEqual([
      'p.yaml:3:10: error: include: d.yaml: expected at most 1024 bytes, found 2018',
    ]);
    expect(check('')).toEqual([]);
  });

  test.each([
    ['agreements: 1000001', 'agreements', 'a whole number of agreements from 1 to 1000000, found number 1000001'],
    ['prefixes: 0', 'prefixes', 'a whole number of prefixes from 1 to 10000000, found number 0'],
    ['files: 250001', 'files', 'a whole number of files from 1 to 250000, found number 250001'],
    ['file: 268435457', 'file', 'whole octets from 1024 to 268435456, found number 268435457'],
  ])('fail/%s: a limit has a limit', (limits, key, expected) => {
    const [line] = said(compile(limited(limits)));
    expect(line).toMatch(new RegExp(`^p.yaml:2:\\d+: error: daemon.limits.${key}: expected ${expected}$`));
  });
});
