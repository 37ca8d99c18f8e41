import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { problemText, releaseProblems } from '../../../../packaging/release/checks.js';
import { readTree } from '../../../../packaging/release/tree.js';
import { ReleaseClone } from '../../../support/release-clone.js';

const VERSION = '7.3.1';
let clone: ReleaseClone;
const found = (version = VERSION) => releaseProblems(version, readTree(clone.root, version)).map(problemText);

beforeAll(() => {
  clone = new ReleaseClone();
  clone.prepare(VERSION);
});
afterEach(() => void clone.git('reset', '-q', '--hard'));
afterAll(() => clone.remove());

describe('what a release needs', () => {
  test('ok/a tree that was prepared as CONTRIBUTING.md says', () => {
    expect(found()).toEqual([]);
  });

  test.each(['', '1.2', 'v1.2.3', '01.2.3', '1.2.3; true'])('fail/%j is no version', (version) => {
    expect(found(version)).toEqual([
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
    clone.edit(file, (text) => text.replace(from, to));
    const [first = '', ...rest] = found();
    expect(first).toContain(told);
    expect(first).toMatch(/\n {2}next: ./);
    // It is not committed either.
    expect(rest.map((text) => text.split(':')[0])).toEqual(['the tree']);
  });

  test('fail/a file that is not committed', () => {
    clone.edit('README.md', (text) => `${text}\n`);
    expect(found()).toEqual([
      expect.stringMatching(/^the tree: expected nothing .*; found ?M README\.md\n {2}next: commit it/),
    ]);
  });

  test('ok/a tag on this commit; fail/one on another', () => {
    clone.git('tag', '-a', `v${VERSION}`, '-m', 'x');
    try {
      expect(found()).toEqual([]);
      clone.git('tag', '-f', '-a', `v${VERSION}`, '-m', 'x', 'HEAD~1');
      expect(found()).toEqual([
        expect.stringMatching(/^the tag v7\.3\.1: expected no such tag, or one on this commit/),
      ]);
    } finally {
      clone.git('tag', '-d', `v${VERSION}`);
    }
  });

  test('fail/all that is wrong is told at once', () => {
    const wrong = found('9.0.0').map((text) => text.split(/[:,]/)[0]);
    expect(wrong).toEqual([
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
