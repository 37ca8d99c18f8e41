/** What must agree before a version is released. Pure: files come in as texts. */

/** Something that is not as a release needs it, and what to do about it. */
export interface Problem {
  readonly subject: string;
  readonly expected: string;
  readonly found: string;
  readonly next: string;
}

export interface ReleaseTree {
  /** Lines of `git status --porcelain`. */
  readonly changes: readonly string[];
  /** The commit that is built, and the one that the tag of this version names, where there is such a tag. */
  readonly commit: string;
  readonly tagged: string | undefined;
  readonly changelog: string;
  readonly manifest: string;
  readonly lock: string;
  /** src/version.ts */
  readonly versionFile: string;
  readonly security: string;
  /** Pages that name files of a release, by path. */
  readonly pages: ReadonlyMap<string, string>;
}

const VERSION = /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?$/;
const MOST_SHOWN = 5;

/** All that is not as it must be, in the order in which it is best mended. */
export function releaseProblems(version: string, tree: ReleaseTree): readonly Problem[] {
  if (!VERSION.test(version)) {
    return [
      {
        subject: 'VERSION',
        expected: 'a version as in 1.2.3 (semver.org)',
        found: version === '' ? 'none' : JSON.stringify(version),
        next: 'make release VERSION=1.2.3',
      },
    ];
  }
  return [
    ...versions(version, tree),
    ...changelog(version, tree.changelog),
    ...supported(version, tree.security),
    ...pages(version, tree.pages),
    ...committed(version, tree),
  ];
}

function versions(version: string, { manifest, lock, versionFile }: ReleaseTree): readonly Problem[] {
  const bump = `npm version --no-git-tag-version ${version}, which writes package.json and package-lock.json`;
  const { version: ours } = JSON.parse(manifest) as { version?: string };
  const locked = JSON.parse(lock) as { version?: string; packages?: Record<string, { version?: string }> };
  const places: readonly (readonly [subject: string, found: string | undefined, next: string])[] = [
    ['package.json, "version"', ours, bump],
    ['package-lock.json, "version"', locked.version, bump],
    ['package-lock.json, packages[""].version', locked.packages?.['']?.version, bump],
    [
      'src/version.ts, VERSION',
      /VERSION = '([^']*)'/.exec(versionFile)?.[1],
      `write it there: export const VERSION = '${version}';`,
    ],
  ];
  return places
    .filter(([, found]) => found !== version)
    .map(([subject, found, next]) => ({ subject, expected: version, found: found ?? 'none', next }));
}

function changelog(version: string, text: string): readonly Problem[] {
  const subject = 'CHANGELOG.md';
  const sections = text.split(/^(?=## )/m).slice(1);
  const titles = sections.map((section) => section.slice(0, section.indexOf('\n')).trim());
  const at = titles.findIndex((title) => title.startsWith(`## [${version}]`));
  const title = titles[at];
  const wanted = `## [${version}] - YYYY-MM-DD`;
  if (title === undefined) {
    const found = titles.slice(0, 2).join(', ') || 'no sections';
    return [{ subject, expected: `a section "${wanted}"`, found, next: `turn [Unreleased] into "${wanted}"` }];
  }
  const problems: Problem[] = [];
  const [, day = ''] = /^## \[[^\]]+\] - (\d{4}-\d{2}-\d{2})$/.exec(title) ?? [];
  if (!isDay(day)) {
    problems.push({ subject, expected: `"${wanted}", a day that there is`, found: title, next: 'write the day' });
  }
  if (!/^[-*] /m.test(sections[at] ?? '')) {
    problems.push({ subject, expected: `lines in [${version}]`, found: 'none', next: 'say what users will notice' });
  }
  const before = sections.slice(0, at);
  if (before.some((section) => /^[-*] /m.test(section))) {
    problems.push({
      subject,
      expected: `[${version}] as the newest, with nothing left in [Unreleased]`,
      found: `lines in ${titles
        .slice(0, at)
        .map((each) => each.slice(3))
        .join(', ')}`,
      next: `move them to [${version}]: they are in what is built`,
    });
  }
  return problems;
}

function isDay(text: string): boolean {
  const at = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(text);
}

function supported(version: string, security: string): readonly Problem[] {
  const series = version.split('.').slice(0, 2).join('.');
  const row = `| ${series}.x |`;
  if (security.includes(`\n${row} yes`)) return [];
  const found = security.match(/^\| [0-9][^|]*\|.*$/m)?.[0] ?? 'no such row';
  const next = `say in the table of supported versions what becomes of ${series} and of the one before`;
  return [{ subject: 'SECURITY.md', expected: `a row "${row} yes"`, found, next }];
}

function pages(version: string, texts: ReadonlyMap<string, string>): readonly Problem[] {
  return [...texts].flatMap(([subject, text]) => {
    const names = [...text.matchAll(/siptrust[-_](\d+\.\d+\.\d+(?:-[0-9A-Za-z.]+)?)(?=[_.])/g)];
    const found = [...new Set(names.filter((name) => name[1] !== version).map(([name]) => name))];
    if (found.length === 0) return [];
    const next = `name the files of ${version} there`;
    return [{ subject, expected: `files of ${version}`, found: found.join(', '), next }];
  });
}

function committed(version: string, { changes, commit, tagged }: ReleaseTree): readonly Problem[] {
  const problems: Problem[] = [];
  if (changes.length > 0) {
    const more = changes.length > MOST_SHOWN ? `, and ${changes.length - MOST_SHOWN} more` : '';
    problems.push({
      subject: 'the tree',
      expected: 'nothing that is not committed (git status)',
      found: `${changes.slice(0, MOST_SHOWN).join(', ')}${more}`,
      next: 'commit it, or take it away: what is released is what a commit holds',
    });
  }
  if (tagged !== undefined && tagged !== commit) {
    problems.push({
      subject: `the tag v${version}`,
      expected: `no such tag, or one on this commit (${commit.slice(0, 12)})`,
      found: `it names ${tagged.slice(0, 12)}`,
      next: 'a version is released once: choose the next one, or check out the tag',
    });
  }
  return problems;
}

/** A problem as two lines for a terminal. */
export function problemText({ subject, expected, found, next }: Problem): string {
  return `${subject}: expected ${expected}; found ${found}\n  next: ${next}`;
}
