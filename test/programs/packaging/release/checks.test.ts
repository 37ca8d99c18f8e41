import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { problemText, type ReleaseTree, releaseProblems } from '../../../../packaging/release/checks.js';
import { readTree } from '../../../../packaging/release/tree.js';
import { ReleaseClone } from '../../../support/release-clone.js';

const VERSION = '7.3.1';
let clone: ReleaseClone;
let prepared: ReleaseTree;

const wrong = (tree: ReleaseTree, version = VERSION) => releaseProblems(version, tree).map(problemText);
const now = () => wrong(readTree(clone.root, VERSION));

/** The prepared tree with one file changed; it has to change. */
function edited(file: string, from: string | RegExp, to: string): ReleaseTree {
  const change = (text: string): string => {
    const changed = text.replace(from, to);
    expect(changed).not.toBe(text);
    return changed;
  };
  const part = PARTS[file];
  if (part !== undefined) return { ...prepared, [part]: change(prepared[part]) };
  return { ...prepared, pages: new Map(prepared.pages).set(file, change(prepared.pages.get(file) ?? '')) };
}

const PARTS: Readonly<Record<string, 'manifest' | 'lock' | 'versionFile' | 'changelog' | 'security'>> = {
  'package.json': 'manifest',
  'package-lock.json': 'lock',
  'src/version.ts': 'versionFile',
  'CHANGELOG.md': 'changelog',
  'SECURITY.md': 'security',
};

beforeAll(() => {
  clone = new ReleaseClone();
  clone.prepare(VERSION);
  prepared = readTree(clone.root, VERSION);
});
afterAll(() => clone.remove());

describe('what a release needs', () => {
  test('ok/a tree that was prepared as CONTRIBUTING.md says', () => {
    expect(wrong(prepared)).toEqual([]);
  });

  test.each(['', '1.2', 'v1.2.3', '01.2.3', '1.2.3; true'])('fail/%j is no version', (version) => {
    expect(wrong(prepared, version)).toEqual([
      `VERSION: expected a version as in 1.2.3 (semver.org); found ${version === '' ? 'none' : JSON.stringify(version)}\n  next: make release VERSION=1.2.3`,
    ]);
  });

  const broken: readonly (readonly [what: string, file: string, from: string | RegExp, to: string, told: string])[] = [
    ['package.json', 'package.json', `"${VERSION}"`, '"0.0.9"', 'package.json, "version": expected 7.3.1; found 0.0.9'],
    [
      'the lock file',
      'package-lock.json',
      `"version": "${VERSION}"`,
      '"version": "0.0.9"',
      'package-lock.json, "version": expected 7.3.1; found 0.0.9',
    ],
    ['src/version.ts', 'src/version.ts', VERSION, '7.3.0', 'src/version.ts, VERSION: expected 7.3.1; found 7.3.0'],
    [
      'no section',
      'CHANGELOG.md',
      `[${VERSION}]`,
      '[7.3.0]',
      'CHANGELOG.md: expected a section "## [7.3.1] - YYYY-MM-DD"',
    ],
    ['no day', 'CHANGELOG.md', ' - 2027-01-31', '', 'a day that there is; found ## [7.3.1]'],
    ['a day that there is not', 'CHANGELOG.md', '2027-01-31', '2027-02-30', 'found ## [7.3.1] - 2027-02-30'],
    [
      'lines left in [Unreleased]',
      'CHANGELOG.md',
      '## [Unreleased]\n',
      '## [Unreleased]\n\n- Something.\n',
      'nothing left in [Unreleased]; found lines in [Unreleased]',
    ],
    ['an empty section', 'CHANGELOG.md', /(## \[7\.3\.1\].*\n)[\s\S]*/, '$1', 'expected lines in [7.3.1]; found none'],
    ['support', 'SECURITY.md', '| 7.3.x | yes |', '| 7.2.x | yes |', 'SECURITY.md: expected a row "| 7.3.x | yes"'],
    [
      'a page that names files of the version before',
      'docs/packages.md',
      `siptrust_${VERSION}_`,
      'siptrust_0.1.0_',
      'docs/packages.md: expected files of 7.3.1; found siptrust_0.1.0',
    ],
  ];
  test.each(broken)('fail/%s', (_, file, from, to, told) => {
    const problems = wrong(edited(file, from, to));
    expect(problems).toEqual([expect.stringContaining(told)]);
    expect(problems[0]).toMatch(/\n {2}next: ./);
  });

  test('fail/a file that is not committed', () => {
    clone.edit('README.md', (text) => `${text}\n`);
    expect(now()).toEqual([
      expect.stringMatching(/^the tree: expected nothing .*; found {2}M README\.md\n {2}next: commit it/),
    ]);
  });

  test('ok/a tag on this commit; fail/one on another', () => {
    clone.git('reset', '-q', '--hard');
    clone.git('tag', '-a', `v${VERSION}`, '-m', 'x');
    try {
      expect(now()).toEqual([]);
      clone.git('tag', '-f', '-a', `v${VERSION}`, '-m', 'x', 'HEAD~1');
      expect(now()).toEqual([expect.stringMatching(/^the tag v7\.3\.1: expected no such tag, or one on this commit/)]);
    } finally {
      clone.git('tag', '-d', `v${VERSION}`);
    }
  });

  test('fail/all that is wrong is told at once', () => {
    const first = wrong(prepared, '9.0.0').map((text) => text.split(/[:,]/)[0]);
    expect(first).toEqual([
      'package.json',
      'package-lock.json',
      'package-lock.json',
      'src/version.ts',
      'CHANGELOG.md',
      'SECURITY.md',
      'docs/containers.md',
      'docs/packages.md',
    ]);
  });
});
