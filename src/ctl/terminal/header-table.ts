/** The header table for people: as it is in force, for a terminal, and as it is written, for docs/boundary.md. */

import { BOUNDARY_RULES, type BoundaryRule, HEADER_POLICY, type RuleKind } from '../../sip/table/index.js';
import { isKeyOf, isList, isRecord } from '../../typed.js';
import { render } from './render.js';

/** One row of the answer to `header.list`. */
export interface HeaderRow {
  readonly name: string;
  readonly kind: RuleKind;
  readonly within: readonly string[];
  readonly applies: readonly string[];
  readonly methods: readonly string[];
  readonly untrusted_in: string;
  readonly untrusted_out: string;
  readonly trusted_in: string;
  readonly trusted_out: string;
  /** Which of the four an override of the agreement has changed. */
  readonly overrides: readonly string[];
  readonly condition: string;
  readonly clause: string;
}

const WHAT: Readonly<Record<RuleKind, string>> = {
  header: 'field',
  'uri-param': 'URI parameter',
  'uri-headers': 'in URIs',
  'header-param': 'parameter',
  value: 'value',
  'option-tag': 'option tag',
  body: 'body',
};

/** The fields that a row looks into, where they are few enough to say. */
function whatOf({ kind, within }: Pick<HeaderRow, 'kind' | 'within'>): string {
  if (kind === 'header' || kind === 'body' || kind === 'uri-headers' || within.length === 0) return WHAT[kind];
  return `${WHAT[kind]} in ${within.slice(0, 2).join(', ')}${within.length > 2 ? ', ...' : ''}`;
}

function messagesOf({ applies, methods }: Pick<HeaderRow, 'applies' | 'methods'>): string {
  if (methods.length > 0) return methods.join(', ');
  return applies.length === 2 ? 'all' : `${applies.join()}s`;
}

const COLUMNS = ['untrusted_in', 'untrusted_out', 'trusted_in', 'trusted_out'] as const;

/** The answer to `header.list`; what is no row of it is left out. */
export function headerRows(answer: unknown): readonly HeaderRow[] {
  const rows = isList(answer) ? answer.filter(isRecord) : [];
  return rows.flatMap((row) => {
    const text = (key: keyof HeaderRow): string => String(row[key] ?? '');
    const texts = (key: keyof HeaderRow): readonly string[] => {
      const list = row[key];
      return isList(list) ? list.map(String) : [];
    };
    const kind = text('kind');
    if (!isKeyOf(WHAT, kind)) return [];
    return [
      {
        ...{ name: text('name'), kind, within: texts('within'), applies: texts('applies'), methods: texts('methods') },
        ...{ untrusted_in: text('untrusted_in'), untrusted_out: text('untrusted_out') },
        ...{ trusted_in: text('trusted_in'), trusted_out: text('trusted_out') },
        ...{ overrides: texts('overrides'), condition: text('condition'), clause: text('clause') },
      },
    ];
  });
}

/** The table in force; `agreement`: whose, undefined for that towards strangers. */
export function headerTable(rows: readonly HeaderRow[], agreement: string | undefined): string {
  const trusted = agreement !== undefined;
  const columns = trusted ? COLUMNS : COLUMNS.slice(0, 2);
  const lines = rows.map((row) => ({
    name: row.name,
    what: whatOf(row),
    messages: messagesOf(row),
    ...Object.fromEntries(
      columns.map((column) => [column.replace('_', ' '), row[column] + (row.overrides.includes(column) ? '*' : '')]),
    ),
    clause: row.clause,
  }));
  const heading = trusted
    ? `${HEADER_POLICY} under the agreement ${agreement}; * marks what its overrides change`
    : `${HEADER_POLICY} towards peers without an agreement`;
  const notes = rows.filter(({ condition }) => condition !== '').map((row) => `  ${row.name}: ${row.condition}`);
  return [heading, '', render(lines), '', 'Conditions:', ...notes].join('\n');
}

/** `remove` or `strict33203: remove, else keep`: the rarer actions with where they hold, the most common one last. */
function actionText(action: string | Readonly<Record<string, string>>): string {
  if (typeof action === 'string') return action;
  const groups = new Map<string, string[]>();
  for (const [where, what] of Object.entries(action)) groups.set(what, [...(groups.get(what) ?? []), where]);
  const sorted = [...groups].sort(([, a], [, b]) => a.length - b.length);
  return sorted
    .map(([what, where], at) => {
      if (sorted.length === 1) return what;
      return at === sorted.length - 1 ? `else ${what}` : `${where.join(', ')}: ${what}`;
    })
    .join('; ');
}

function markdownRow(rule: BoundaryRule): string {
  const cells = [
    `\`${rule.name}\``,
    whatOf(rule),
    messagesOf(rule),
    actionText(rule.in),
    actionText(rule.out),
    actionText(rule.trustedIn),
    actionText(rule.trustedOut),
    rule.condition,
    rule.clause,
    rule.confidence,
  ];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

/** The whole table as Markdown, as it stands in docs/boundary.md. */
export function headerMarkdown(): string {
  return [
    '| Name | What | Messages | From untrusted | To untrusted | From trusted | To trusted | Condition | Clause | Basis |',
    '|---|---|---|---|---|---|---|---|---|---|',
    ...BOUNDARY_RULES.map(markdownRow),
  ].join('\n');
}
