/** What is made of the tables of src/ and committed, so that others can load and read it. `make generated` writes it. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { headerMarkdown } from '../../src/ctl/terminal/header-table.js';
import { REASONS } from '../../src/reasons.js';
import { METRICS } from '../../src/rpc/metrics/table.js';
import { KAMAILIO_FILES } from '../../src/sip/kamailio/headers.js';
import { opensipsInclude } from '../../src/sip/opensips/headers.js';

const ROOT = join(import.meta.dirname, '../..');

/** A page with another table under a heading. */
function withTable(page: string, heading: string, rows: string): string {
  const text = readFileSync(join(ROOT, page), 'utf8');
  const from = text.indexOf(`${heading}\n`);
  if (from < 0) throw new Error(`${page}: no heading ${heading}`);
  return text.slice(0, from) + text.slice(from).replace(/(?:^\|.*\n)+/m, () => `${rows}\n`);
}

function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = rows.map((cells) => `| ${cells.join(' | ')} |`);
  return [`| ${columns.join(' | ')} |`, `|${'---|'.repeat(columns.length)}`, ...lines].join('\n');
}

const code = (text: string): string => `\`${text}\``;
const reasons = table(
  ['Code', 'Severity', 'Meaning', 'Clause'],
  REASONS.map(({ code: name, severity, text, clause }) => [code(name), severity, text, clause]),
);
const metrics = table(
  ['Name', 'Type', 'Labels', 'Meaning'],
  Object.values(METRICS).map(({ name, type, labels, help }) => [code(name), type, labels.map(code).join(', '), help]),
);

describe('as the tables have it', () => {
  it.each<readonly [file: string, text: () => string]>([
    ...[...KAMAILIO_FILES].map(([name, text]) => [`plugin/kamailio/${name}`, text] as const),
    ['plugin/opensips/siptrust-headers.cfg', opensipsInclude],
    ['docs/boundary.md', () => withTable('docs/boundary.md', '## The table', headerMarkdown())],
    ['docs/reasons.md', () => withTable('docs/reasons.md', '# Reasons', reasons)],
    ['docs/metrics.md', () => withTable('docs/metrics.md', '## The table', metrics)],
  ])('ok/%s', async (file, text) => {
    await expect(text()).toMatchFileSnapshot(join(ROOT, file));
  });
});
