import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { ANSWER_LINES, ANSWER_PATTERN, answerLine } from '../../../../src/sip/script/answer-line.js';
import { posixMatcher } from '../../../support/posix-regex.js';

const whole = new RegExp(ANSWER_PATTERN, 'i');
const posix = posixMatcher();
afterAll(() => posix?.close());

const PEER = {
  ...{ verdict: 'trusted', trusted: 1, profile: 'trusted', action: 'continue', code: 0, phrase: '', per: 'connection' },
  ...{ agreement: 'op-a', reason: 'agreement-covers', id: 'a1-1', ttl: 60, revision: 7, asserts: ['a.example'] },
};
const PLAN = { action: 'continue', code: 0, phrase: '', remove: [], append: [], ruri: '', trusted: 0, revision: 7 };
const HOP = {
  ...{ domain: 'b.example', require_tls: 0, action: 'continue', code: 0, agreement: 'op-b', reason: '', ttl: 9 },
  ...{ targets: ['tls:192.0.2.7:5061', 'udp:[2001:db8::7]:5060'], revision: 7 },
};
const STATUS = { revision: 7, stranger: 'untrusted', sockets: ['udp:10.0.0.1:5062', 'tcp:2001:db8::1:5060'] };
const TOLD = 'op-a|agreement-covers|a1-1|continue|403|Forbidden|1';

describe('answers as lines', () => {
  it.each([
    ['trust.peer', PEER, `trust.peer;7;60;6;trusted;connection;${TOLD};a.example,;0;.`],
    ['trust.peer', { ...PEER, profile: 'ask' }, `trust.peer;7;60;9;ask;connection;${TOLD};a.example,;0;.`],
    [
      'trust.peer',
      { ...PEER, asserts: ['*', 'a b', 'c,d'], assert_hosts: ['[2001:db8::1]', '192.0.2.1', 'x;.'] },
      `trust.peer;7;60;6;trusted;connection;${TOLD};*,[2001:db8::1],192.0.2.1,;0;.`,
    ],
    [
      'trust.peer',
      { ...PEER, verdict: 'reject', trusted: 0, profile: 'untrusted', action: 'close', code: 503, phrase: 'Not Now' },
      'trust.peer;7;60;22;refused;connection;op-a|agreement-covers|a1-1|close|503|Not Now|0;a.example,;0;.',
    ],
    [
      'trust.peer',
      { ...PEER, verdict: 'untrusted', trusted: 0, profile: 'monitor', agreement: '', asserts: [] },
      'trust.peer;7;60;21;monitor;connection;|agreement-covers|a1-1|continue|403|Forbidden|0;;0;.',
    ],
    [
      'trust.peer',
      { ...PEER, agreement: 'op-a+op_b.2' },
      'trust.peer;7;60;6;trusted;connection;op-a+op_b.2|agreement-covers|a1-1|continue|403|Forbidden|1;a.example,;0;.',
    ],
    [
      'trust.peer',
      { ...PEER, verdict: 'untrusted', trusted: 0, profile: 'untrusted', id: '', ttl: 1, more: 1 },
      'trust.peer;7;1;2;untrusted;connection;op-a|agreement-covers||continue|403|Forbidden|0;a.example,;1;.',
    ],
    ['trust.message', PLAN, 'trust.message;7;0;continue;0;403;Forbidden;;;;.'],
    [
      'trust.message',
      { ...PLAN, remove: ['Contact', 'X.*+'], append: ['Contact: "a;$b" <sip:c@d>'], ruri: 'sip:a+b@c;d=%41' },
      'trust.message;7;0;continue;0;403;Forbidden;^(Contact|m|X[.][*][+])$;' +
        'Contact:%20%22a%3b%24b%22%20%3csip:c@d%3e%0d%0a;sip:a%2bb@c%3bd=%2541;.',
    ],
    [
      'trust.message',
      { ...PLAN, action: 'reject', code: 400, phrase: 'Malformed Header', remove: ['X'] },
      'trust.message;7;0;reject;0;400;Malformed Header;;;;.',
    ],
    ['hop.resolve', HOP, 'hop.resolve;7;9;192.0.2.7;b.example|0|1|0||tls:192.0.2.7:5061,udp:[2001:db8::7]:5060,;.'],
    ['hop.resolve', { ...HOP, action: 'reject', code: 503 }, 'hop.resolve;7;9;;b.example|0|1|503||;.'],
    ['hop.resolve', { ...HOP, domain: '', agreement: '', ttl: 1e6, targets: [] }, 'hop.resolve;7;300;;|0|0|0||;.'],
    [
      'hop.list',
      { revision: 7, hops: [HOP, { ...HOP, targets: [] }] },
      expect.stringMatching(/^hop\.list;7;0;b.*;b.*;\.$/),
    ],
    ['hop.list', { revision: 7, hops: [] }, 'hop.list;7;0;|0|0|0||;.'],
    ['core.status', STATUS, 'core.status;7;0;2;untrusted;udp:10.0.0.1:5062,tcp:2001:db8::1:5060,;.'],
  ])('ok/%s %j', (method, answer, line) => {
    expect(answerLine(method, answer)).toEqual(line);
  });

  it.each([
    ['no such method', 'core.version', { revision: 7 }],
    ['a policy of no revision', 'core.status', { ...STATUS, revision: 0 }],
    ['no answer', 'trust.peer', undefined],
    ['a row of two', 'trust.message', { ...PLAN, append: ['Subject: a\r\nX-Injected: b'] }],
    ['a row without a name', 'trust.message', { ...PLAN, append: ['Subject'] }],
    ['a name that is none', 'trust.message', { ...PLAN, remove: ['Sub ject'] }],
    ['NUL in a row', 'trust.message', { ...PLAN, append: ['Subject: a\0b'] }],
    ['a Request-URI with CRLF', 'trust.message', { ...PLAN, ruri: 'sip:a\r\nX: b' }],
    ['a Request-URI with a blank', 'trust.message', { ...PLAN, ruri: 'sip:a b' }],
    ['more rows than a script can hold', 'trust.message', { ...PLAN, append: [`Subject: ${';'.repeat(22_000)}`] }],
    ['a domain that is none', 'hop.resolve', { ...HOP, domain: 'b|1' }],
  ])('fail/%s has no line', (_, method, answer) => {
    expect(answerLine(method, answer)).toBeUndefined();
  });

  it.each([
    ['verdict', 'untrusted'],
    ['verdict', 'reject'],
    ['trusted', 0],
    ['trusted', 'yes'],
    ['profile', 'all'],
    ['profile', 'untrusted'],
    ['action', 'reject'],
    ['action', 'cuddle'],
  ])('fail/%s %j is no trust, whatever else is said', (name, value) => {
    const line = answerLine('trust.peer', { ...PEER, [name]: value });
    expect(line?.split(';')[3] ?? '22').not.toMatch(/^[6-9]$/);
  });

  /** Texts of every kind that somebody might break a line with. */
  const foreign = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.stringMatching(/^[-a-z0-9;|,.$%"'\r\n\0 \\()[\]<>^]{0,20}$/),
    fc.constantFrom(';', '|', ',', ';.', '\r\n', '$fU', '%0d%0a', '[::1]', '*', 'trusted', 'continue'),
  );
  const value = fc.oneof(foreign, fc.integer(), fc.constant(null), fc.array(foreign, { maxLength: 4 }));

  /** The answer with some of its fields made foreign. */
  const spoiled = (answer: object) =>
    fc.record(Object.fromEntries(Object.keys(answer).map((key) => [key, value])), { requiredKeys: [] }).map((over) => ({
      ...answer,
      ...over,
    }));
  const all = fc.oneof(
    spoiled({ ...PEER, assert_hosts: [] }).map((answer) => ['trust.peer', answer] as const),
    spoiled(PLAN).map((answer) => ['trust.message', answer] as const),
    spoiled(HOP).map((answer) => ['hop.resolve', answer] as const),
    spoiled(HOP).map((hop) => ['hop.list', { revision: 7, hops: [hop, HOP] }] as const),
    spoiled(STATUS).map((answer) => ['core.status', answer] as const),
  );

  it('ok/whatever an answer holds, its line is one line of that method with all its fields, or there is none', () => {
    fc.assert(
      fc.property(all, ([method, answer]) => {
        const line = answerLine(method, answer);
        if (line === undefined) return;
        expect(line).toMatch(whole);
        expect(line).toMatch(/^[ -~]*$/);
        expect(line).not.toMatch(/["\\]/);
        expect(line.startsWith(`${method};`)).toBe(true);
        const fields = (ANSWER_LINES.get(method) ?? []).flatMap(({ name }) =>
          name.split(';').filter((each) => each !== '...'),
        );
        if (method !== 'hop.list') expect(line.split(';')).toHaveLength(fields.length + 2);
      }),
      { numRuns: 3_000 },
    );
  });

  it('ok/rows and Request-URI are what was given, decoded as Kamailio decodes', () => {
    const row = fc.stringMatching(/^[\t\x20-\x7e\u00a1-\ud7ff]{0,40}$/);
    fc.assert(
      fc.property(fc.array(row, { maxLength: 5 }), (rows) => {
        const append = rows.map((text) => `Subject: ${text}`);
        const line = answerLine('trust.message', { ...PLAN, append });
        const decoded = (line?.split(';')[8] ?? '').replaceAll('+', ' ');
        expect(decodeURIComponent(decoded)).toBe(append.map((each) => `${each}\r\n`).join(''));
      }),
    );
  });

  it.skipIf(posix === undefined)('ok/the C library matches the same lines, right and wrong', () => {
    const texts = fc
      .sample(all, 400)
      .flatMap(([method, answer]) => {
        const line = answerLine(method, answer) ?? [method, ...Object.values(answer).map(String), '.'].join(';');
        const at = line.length % 7;
        return [
          line,
          line.slice(0, -1),
          `${line}\n`,
          line.slice(0, at) + line.slice(at + 1),
          line.replace(/[;|,]/, ''),
        ];
      })
      // A C string ends there.
      .filter((text) => !/[\0\u0100-\uffff]/.test(text));
    const found = posix?.matches(ANSWER_PATTERN, texts);
    expect(found?.some(Boolean)).toBe(true);
    expect(found).toEqual(texts.map((text) => whole.test(text)));
  });
});
