import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');

/** Lines of a diff that follow each other, of one file. */
interface Hunk {
  readonly file: string;
  readonly lines: readonly string[];
}

/** The diffs of CONTRIBUTING.md. A line of context that ends in ` ...` stands for every line that starts so. */
function hunks(page: string): readonly Hunk[] {
  return [...page.matchAll(/^```diff\n([\s\S]*?)^```$/gm)].flatMap(([, diff = '']) =>
    diff.split(/^\+\+\+ b\//m).flatMap((part) => {
      const [file = '', ...rest] = part.split('\n');
      const texts = rest.join('\n').split(/^@@\n/m).slice(1);
      return texts.map((text) => ({ file, lines: text.split('\n').filter((line) => line !== '') }));
    }),
  );
}

/** The file with what the hunk adds. @throws where its context stands nowhere, or in two places */
function applied(text: string, { file, lines }: Hunk): string {
  const context = lines.filter((line) => line.startsWith(' ')).map((line) => line.slice(1));
  const fits = (line: string | undefined, like: string): boolean =>
    like.endsWith(' ...') ? line?.startsWith(like.slice(0, -3)) === true : line === like;
  const all = text.split('\n');
  const places = [...all.keys()].filter((at) => context.every((like, below) => fits(all[at + below], like)));
  const [place] = places;
  if (place === undefined || places.length > 1) {
    throw new Error(`${file}: expected one place like ${JSON.stringify(context)}, found ${places.length}`);
  }
  let next = place;
  const added = lines.map((line) => (line.startsWith('+') ? line.slice(1) : (all[next++] ?? '')));
  return [...all.slice(0, place), ...added, ...all.slice(next)].join('\n');
}

describe('the rows of CONTRIBUTING.md', () => {
  const files = new Map<string, string>();
  const all = hunks(readFileSync(join(ROOT, 'CONTRIBUTING.md'), 'utf8'));
  for (const hunk of all) {
    const text = files.get(hunk.file) ?? readFileSync(join(ROOT, hunk.file), 'utf8');
    files.set(hunk.file, applied(text, hunk));
  }

  it('ok/each has its place in the files that it names, and does not stand there yet', () => {
    expect(files.size).toBeGreaterThan(10);
    for (const { file, lines } of all) {
      const added = lines.filter((line) => line.startsWith('+')).map((line) => line.slice(1));
      expect(readFileSync(join(ROOT, file), 'utf8'), file).not.toContain(added.join('\n'));
    }
  });

  it('ok/the code compiles with all of them', async () => {
    const copy = mkdtempSync(join(tmpdir(), 'siptrust-rows-'));
    try {
      for (const each of ['src', 'test', 'package.json', 'tsconfig.json']) {
        cpSync(join(ROOT, each), join(copy, each), { recursive: true });
      }
      symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
      const code = [...files].filter(([file]) => file.endsWith('.ts'));
      for (const [file, text] of code) writeFileSync(join(copy, file), text);
      const include = ['src', ...code.map(([file]) => file).filter((file) => file.startsWith('test/'))];
      const config = { extends: './tsconfig.json', compilerOptions: { rootDir: '.', noEmit: true }, include };
      writeFileSync(join(copy, 'rows.json'), JSON.stringify(config));
      const compiler = join(ROOT, 'node_modules/.bin/tsc');
      const said = await promisify(execFile)(compiler, ['-p', 'rows.json'], { cwd: copy }).catch((error) => error);
      expect(said.stdout).toBe('');
    } finally {
      rmSync(copy, { recursive: true });
    }
  });
});
