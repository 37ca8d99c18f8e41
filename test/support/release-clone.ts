import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');

/** A clone of what is committed here, to do with as a test likes. */
export class ReleaseClone {
  readonly root: string;
  readonly #directory: string;

  constructor() {
    this.#directory = mkdtempSync(join(tmpdir(), 'siptrust-clone-'));
    this.root = join(this.#directory, 'siptrust');
    execFileSync('git', ['clone', '-q', '--shared', ROOT, this.root]);
  }

  git(...args: readonly string[]): string {
    const who = ['-c', 'user.name=A Maintainer', '-c', 'user.email=maintainer@siptrust.example'];
    return execFileSync('git', ['-C', this.root, ...who, ...args], { encoding: 'utf8' }).trim();
  }

  edit(path: string, change: (text: string) => string): void {
    const file = join(this.root, path);
    writeFileSync(file, change(readFileSync(file, 'utf8')));
  }

  /** Everything that CONTRIBUTING.md, "A release", asks for, committed. */
  prepare(version: string): void {
    const { version: old } = JSON.parse(readFileSync(join(this.root, 'package.json'), 'utf8')) as { version: string };
    const series = version.split('.').slice(0, 2).join('.');
    this.edit('package.json', (text) => text.replace(`"version": "${old}"`, `"version": "${version}"`));
    // The first two are ours: of the file, and of the package at its root.
    let ours = 2;
    this.edit('package-lock.json', (text) =>
      text.replaceAll(`"version": "${old}"`, (found) => (ours-- > 0 ? `"version": "${version}"` : found)),
    );
    this.edit('src/version.ts', (text) => text.replace(`'${old}'`, `'${version}'`));
    this.edit('CHANGELOG.md', (text) =>
      text.replace('## [Unreleased]\n', `## [Unreleased]\n\n## [${version}] - 2027-01-31\n`),
    );
    this.edit('SECURITY.md', (text) => text.replace(/^\| \d+\.\d+\.x \| yes \|$/m, `| ${series}.x | yes |`));
    for (const page of ['docs/packages.md', 'docs/containers.md']) {
      this.edit(page, (text) => text.replace(/(siptrust[-_])\d+\.\d+\.\d+(?=[_.])/g, `$1${version}`));
    }
    this.git('commit', '-qam', `Release ${version}`);
  }

  remove(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
