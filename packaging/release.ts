/**
 * `make release VERSION=1.2.3`: looks whether tree, CHANGELOG and versions agree, builds the package, the npm tarball, the
 * list of what is in them (CycloneDX) and SHA256SUMS out of the commit, twice in two places, and keeps them in packages/1.2.3
 * where both are the same bytes. `--check`: looks, and builds nothing. AUDIT=skip: npm audit is not asked.
 * Exit codes: 0 built, 1 something does not agree, 130 and 143 stopped.
 */

import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Progress, Stop } from '../src/ctl/long-work/index.js';
import { buildRelease, differing, SUMS } from './release/artefacts.js';
import { auditProblems } from './release/audit.js';
import { problemText, releaseProblems } from './release/checks.js';
import { headOf, readTree } from './release/tree.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');

/** Said last, beside the sums: what nobody looked at must not read as clean. */
const NOT_CHECKED =
  'npm audit: NOT CHECKED (AUDIT=skip); open advisories are not known. Ask where a registry knows them: npm audit --omit=dev\n';
/** Of what is shipped; the tools that build it are not. */
const AUDITED = 'npm audit: no advisory but those that docs/dependencies.md explains\n';
const auditSkipped = process.env.AUDIT === 'skip';

function audited(): readonly string[] {
  if (auditSkipped) return [];
  const { stdout } = spawnSync('npm', ['audit', '--omit=dev', '--json'], { cwd: ROOT, encoding: 'utf8' });
  return auditProblems(stdout, readFileSync(join(ROOT, 'docs/dependencies.md'), 'utf8')).map(problemText);
}

async function release(version: string, stop: Stop, progress: Progress): Promise<readonly string[]> {
  const at = headOf(ROOT);
  const work = mkdtempSync(join(tmpdir(), 'siptrust-release-'));
  try {
    const outs: string[] = [];
    for (const [index, place] of ['one', 'the-other-place'].entries()) {
      const say = (text: string) => progress.at(index, `build ${index + 1} of 2: ${text}`);
      outs.push(await buildRelease({ root: ROOT, version, at, signal: stop.signal, say }, join(work, place)));
    }
    const [one = '', other = ''] = outs;
    const unlike = differing(one, other).filter((name) => name !== SUMS);
    if (unlike.length > 0) {
      const kept = join(ROOT, 'packages', `${version}.unlike`);
      rmSync(kept, { recursive: true, force: true });
      for (const [index, out] of outs.entries()) cpSync(out, join(kept, String(index + 1)), { recursive: true });
      const where = relative(process.cwd(), kept);
      return [
        `the files: expected the same bytes from both builds; found others in ${unlike.join(', ')}\n  next: compare ${where}/1 and ${where}/2 (diffoscope says what differs)`,
      ];
    }
    const target = join(ROOT, 'packages', version);
    mkdirSync(join(ROOT, 'packages'), { recursive: true });
    cpSync(one, `${target}.new`, { recursive: true });
    rmSync(target, { recursive: true, force: true });
    renameSync(`${target}.new`, target);
    progress.clear();
    process.stdout.write(
      `${relative(process.cwd(), target)}: the same bytes twice, of commit ${at.commit.slice(0, 12)}\n`,
    );
    process.stdout.write(readFileSync(join(target, SUMS), 'utf8'));
    process.stdout.write(
      `next: git tag -a v${version} -m 'siptrust ${version}' ${at.commit.slice(0, 12)}; CONTRIBUTING.md, "A release"\n`,
    );
    return [];
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { check: { type: 'boolean', default: false } },
});
const version = positionals[0] ?? '';
const stop = Stop.listen();
const progress = new Progress({ what: 'release', total: 2, steps: true });
try {
  let problems = releaseProblems(version, readTree(ROOT, version)).map(problemText);
  if (problems.length === 0) problems = [...audited()];
  if (problems.length === 0 && !values.check) problems = [...(await release(version, stop, progress))];
  else if (problems.length === 0) process.stdout.write(`${version}: tree, CHANGELOG.md and versions agree\n`);
  progress.clear();
  if (problems.length === 0) process.stdout.write(auditSkipped ? NOT_CHECKED : AUDITED);
  for (const problem of problems) process.stderr.write(`${problem}\n`);
  process.exitCode = problems.length === 0 ? 0 : 1;
} catch (error) {
  progress.clear();
  if (stop.by === undefined)
    process.stderr.write(`release: ${error instanceof Error ? error.message : String(error)}\n`);
  else process.stderr.write(`release: stopped by ${stop.by}; nothing is kept\n`);
  process.exitCode = stop.exitCode ?? 1;
} finally {
  stop.close();
}
