import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fieldKey } from '../../../../src/sip/grammar/field-names.js';
import type { HeaderBlock } from '../../../../src/sip/grammar/header-block.js';
import { BOUNDARY_RULES } from '../../../../src/sip/table/boundary.js';
import {
  actionOf,
  coversField,
  INTERCONNECTS,
  PRIVACY_MODES,
  strangerStance,
} from '../../../../src/sip/table/rules.js';
import { type MessageInput, planMessage } from '../../../../src/trust/message/message.js';
import { applyPlan } from '../../../support/apply-plan.js';
import { anyRows, methods, regularRows, requestUris } from '../../../support/header-blocks.js';
import { runs } from '../../../support/runs.js';
import { type Case, inputOf } from './message-support.js';

const RUNS = { numRuns: runs(400) };

/** Escapes as the bytes that they stand for, whatever those are (RFC 3261 §25.1). */
const unescaped = (text: string): string =>
  text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));

const hook = fc.record({
  direction: fc.constantFrom('in' as const, 'out' as const),
  message: fc.constantFrom('request' as const, 'response' as const),
});

function build(rows: readonly string[], spec: Case): MessageInput {
  return inputOf(rows, { status: 200, ...spec });
}

/** Every name that some reader finds at the start of some line: folds taken for lines, CR for line ends, and so on. */
function namesByAnyReading(block: HeaderBlock): ReadonlySet<string> {
  const text = block.rows.map(({ raw }) => raw).join('\r\n');
  const names = new Set<string>(block.fields.map(({ key }) => key));
  for (const line of text.split(/[\r\n\v\f\0\x85]|\xe2\x80[\xa8\xa9]/)) {
    const colon = line.indexOf(':');
    if (colon > 0) names.add(fieldKey(line.slice(0, colon).replace(/[^-A-Za-z0-9.!%*_+`'~]/g, '')));
  }
  return names;
}

/** Is this a field that the table removes towards the peer of this message, whatever it holds? */
function isPrivate(key: string, input: MessageInput): boolean {
  const stance = strangerStance(input.snapshot.privacy);
  const rule = BOUNDARY_RULES.find(
    (row) =>
      row.kind === 'header' && row.methods.length === 0 && row.applies.includes(input.message) && coversField(row, key),
  );
  return rule !== undefined && actionOf(rule, input.direction, stance) === 'remove' && !rule.keptInEmergency;
}

describe('for any header block', () => {
  it('ok/an untrusted leg keeps no private field by any reading', () => {
    fc.assert(
      fc.property(
        anyRows,
        hook,
        methods,
        requestUris,
        fc.constantFrom(...PRIVACY_MODES),
        (rows, at, method, ruri, mode) => {
          const input = build(rows, { ...at, method, ruri, mode });
          const plan = planMessage(input);
          if (plan.action === 'reject') return;
          const after = applyPlan(input.block, plan);
          const left = [...namesByAnyReading(after)].filter((key) => isPrivate(key, input));
          expect(left).toEqual([]);
        },
      ),
      RUNS,
    );
  });

  it('ok/an untrusted leg keeps no private parameter in any position, and no embedded field', () => {
    fc.assert(
      fc.property(
        regularRows,
        hook,
        methods,
        requestUris,
        fc.constantFrom(...PRIVACY_MODES),
        (rows, at, method, ruri, mode) => {
          const input = build(rows, { ...at, method, ruri, mode });
          const plan = planMessage(input);
          if (plan.action === 'reject') return;
          const after = applyPlan(input.block, plan);
          for (const { key, value } of after.fields) {
            if (
              ![
                'from',
                'to',
                'contact',
                'route',
                'refer-to',
                'referred-by',
                'reply-to',
                'history-info',
                'diversion',
                'feature-caps',
              ].includes(key)
            )
              continue;
            const bare = unescaped(value.replace(/"(?:[^"\\]|\\.)*"/g, '""'));
            expect(bare).not.toMatch(/;\s*(orig|iotl|cpc|oli|verstat)(?![-a-z0-9.!%*_+`'~])/i);
            // Feature-Caps is no list of addresses; what its tags quote embeds nothing.
            if (key !== 'feature-caps') expect(bare).not.toMatch(/<sips?:[^>]*\?[^>]*(p-asserted-identity|subject)=/i);
          }
          const uri = plan.ruri === '' ? (input.message === 'request' ? ruri : '') : plan.ruri;
          expect(unescaped(uri)).not.toMatch(/;(orig|iotl|cpc|oli|verstat)(?![-a-z0-9])/i);
          expect(uri).not.toMatch(/^sips?:[^?]*@[^?]*\?./i);
        },
      ),
      RUNS,
    );
  });

  it('ok/Privacy: id: P-Asserted-Identity leaves in no mode, in no spelling', () => {
    fc.assert(
      fc.property(
        regularRows,
        hook,
        fc.constantFrom(...PRIVACY_MODES),
        fc.constantFrom('id', 'ID', 'none;id', 'user;id;header', 'none,id'),
        (rows, at, mode, privacy) => {
          const input = build([...rows, `Privacy: ${privacy}`, 'p-asserted-identity : <sip:alice@a.example>'], {
            ...at,
            direction: 'out',
            mode,
          });
          const plan = planMessage(input);
          if (plan.action === 'reject') return;
          expect(applyPlan(input.block, plan).fields.some(({ key }) => key === 'p-asserted-identity')).toBe(false);
          expect(plan.append.join('\n')).not.toMatch(/^p-asserted-identity/im);
        },
      ),
      RUNS,
    );
  });

  it('ok/a plan applied twice changes nothing more', () => {
    const terms = fc.record({
      interconnect: fc.constantFrom(...INTERCONNECTS),
      privacy: fc.constantFrom(...PRIVACY_MODES),
    });
    fc.assert(
      fc.property(
        anyRows,
        hook,
        methods,
        requestUris,
        fc.boolean(),
        terms,
        (rows, at, method, ruri, trusted, agreement) => {
          const input = build(rows, { ...at, method, ruri, trusted, agreement });
          const first = planMessage(input);
          if (first.action === 'reject') return;
          const second = planMessage({
            ...input,
            block: applyPlan(input.block, first),
            ruri: first.ruri === '' ? ruri : first.ruri,
          });
          expect(second).toMatchObject({ action: 'continue', remove: [], append: [], ruri: '' });
        },
      ),
      RUNS,
    );
  });

  it('ok/a trusted leg keeps what it must, byte for byte and in order', () => {
    const never = (key: string, input: MessageInput, interconnect: (typeof INTERCONNECTS)[number]): boolean =>
      BOUNDARY_RULES.some(
        (row) =>
          row.kind === 'header' &&
          coversField(row, key) &&
          (row.methods.length === 0 || row.methods.includes(input.method ?? '')) &&
          row.applies.includes(input.message) &&
          actionOf(row, input.direction, { ...strangerStance('strict33203'), trusted: true, interconnect }) ===
            'remove',
      );
    /** Fields in which single parameters, values or tags have no place at any border. */
    const EDITED = [
      'www-authenticate',
      'proxy-authenticate',
      'authorization',
      'proxy-authorization',
      'p-charging-vector',
      'require',
      'proxy-require',
    ];
    fc.assert(
      fc.property(
        anyRows,
        fc.constantFrom('request' as const, 'response' as const),
        methods,
        fc.constantFrom(...INTERCONNECTS),
        (rows, message, method, interconnect) => {
          const input = build(rows, { direction: 'out', message, method, trusted: true, agreement: { interconnect } });
          const plan = planMessage(input);
          if (plan.action === 'reject') return;
          const after = applyPlan(input.block, plan);
          const must = (block: HeaderBlock): readonly string[] =>
            block.rows
              .filter(
                ({ field }) =>
                  field !== undefined && !EDITED.includes(field.key) && !never(field.key, input, interconnect),
              )
              .map(({ raw }) => raw);
          expect(must(after)).toEqual(must(input.block));
          expect(plan.ruri).toBe('');
        },
      ),
      RUNS,
    );
  });

  it('ok/nothing in an answer ends a line or is no UTF-8 (P-14)', () => {
    fc.assert(
      fc.property(anyRows, hook, requestUris, fc.boolean(), (rows, at, ruri, trusted) => {
        const plan = planMessage(build(rows, { ...at, ruri, trusted, mode: 'ims24229' }));
        for (const line of [...plan.append, ...plan.remove, plan.ruri, plan.phrase]) {
          expect(line).not.toMatch(/[\0-\x08\x0a-\x1f\x7f]/);
          const bytes = Buffer.from(line, 'latin1');
          expect(Buffer.from(bytes.toString('utf8'), 'utf8').equals(bytes)).toBe(true);
        }
        // A row that came empty beside one that is edited stays empty.
        for (const line of plan.append) expect(line).toMatch(/^[-A-Za-z0-9.!%*_+`'~]+: /);
      }),
      RUNS,
    );
  });
});
