/**
 * Answers of siptrustd as one line each, for scripts that cannot check JSON field by field: fields with semicolons
 * between, and the expression that matches every such line whole and nothing else. The plugin of Kamailio looks at an
 * answer by that expression (siptrust-headers.cfg), and here a line that it does not match is no line.
 */

import { isRecord } from '../../typed.js';
import { spellings } from '../grammar/index.js';
import { MONITORED, NUMBERED, profileNumber, REFUSED } from './profile-numbers.js';

/** An answer as JSON: whatever its fields are, they are texts, numbers or lists here, or not there. */
type Answer = Readonly<Record<string, unknown>>;

interface Field {
  /** What it is, for docs/rpc.md. */
  readonly name: string;
  /** POSIX and ECMAScript alike: no backslash in brackets, no class, no group but for its content. Case does not count. */
  readonly pattern: string;
  readonly of: (answer: Answer) => string;
}

/** Entries of one list that a script can walk through; who is not among them is asked about each time. */
const MOST_ENTRIES = 500;
/** Octets of one field: Kamailio takes fields apart in 64 KiB. */
const MOST_OCTETS = 60_000;
/** Seconds: an agreement may begin or end without a new revision. */
const MOST_HOP_TTL = 300;
/** A phrase that is none to answer with. */
const PLAIN_PHRASE = 'Forbidden';

const PHRASE = '[-a-z0-9 .,:()/]{1,80}';
const CODE = '[4-6][0-9][0-9]';
const ADDRESS = '[0-9a-f:.]';
const HOST = `([-_a-z0-9.*]+|\\[${ADDRESS}+\\])`;
const TARGET = `(tls|tcp|udp):([0-9.]+|\\[${ADDRESS}+\\]):[0-9]+`;
const HOP = `(${HOST})?[|][01][|][01][|](0|${CODE})[|][-a-z0-9]*[|](${TARGET},)*`;
const IS_CODE = new RegExp(`^${CODE}$`);
const IS_PHRASE = new RegExp(`^${PHRASE}$`, 'i');
const IS_HOST = new RegExp(`^(${HOST})$`, 'i');
const IS_TARGET = new RegExp(`^${TARGET}$`);
const IS_SOCKET = new RegExp(`^([a-z]+:${ADDRESS}+)$`, 'i');
/** In a URI or a value that is percent-encoded: what stands for itself, and of a value any byte but controls. */
const SAFE = '[-a-z0-9._~:/@=]';
const URI_BYTE = `(${SAFE}|%2[13-9a-f]|%3[0-9abdf]|%[4-6][0-9a-f]|%7[0-9a-e])`;
const VALUE_BYTE = `(${SAFE}|%09|%[2-9a-f][0-9a-f])`;
const NAME_BYTE = '([-a-z0-9._~]|%2[157ab]|%60)';
/** What matches nothing, in the place of a row that is two. */
const NO_ROW = ' ';
/** A field name as an expression that matches it. */
const NAME_PATTERN = "([-a-z0-9!%_'`~]|\\[[.*+]\\])+";

const text = (answer: Answer, name: string): string => {
  const value = answer[name];
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
};
const texts = (answer: Answer, name: string): readonly string[] => {
  const value = answer[name];
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];
};

const continues = (answer: Answer): boolean => text(answer, 'action') === 'continue';

/** `a,b,`; what would break the line is left out, and so is what is too much. */
function list(values: readonly string[], entry: RegExp): string {
  let text = '';
  for (const value of values.filter((each) => entry.test(each)).slice(0, MOST_ENTRIES)) {
    if (text.length + value.length < MOST_OCTETS) text += `${value},`;
  }
  return text;
}

function refusal(answer: Answer): { readonly code: string; readonly phrase: string } {
  const [code, phrase] = [text(answer, 'code'), text(answer, 'phrase')];
  return {
    code: IS_CODE.test(code) ? code : '403',
    phrase: IS_PHRASE.test(phrase) ? phrase : PLAIN_PHRASE,
  };
}

/** `6;trusted`: the number by which the script treats the peer, and its name, which both sides must know. */
function treatment(answer: Answer): string {
  const profile = text(answer, 'profile');
  if (!continues(answer)) return `${REFUSED};refused`;
  const trusted = text(answer, 'verdict') === 'trusted' && answer.trusted === 1;
  if (!trusted && profile === 'monitor') return `${MONITORED};monitor`;
  const number = profileNumber(profile, trusted);
  return `${number};${NUMBERED[number - 1]?.profile.name}`;
}

const TREATMENT = [
  ...NUMBERED.map(({ profile }, index) => `${index + 1};${profile.name}`),
  `${MONITORED};monitor`,
  `${REFUSED};refused`,
].join('|');

/** The first three places that the script can go to; nowhere, where the branch may not leave. */
function targets(answer: Answer): readonly string[] {
  return continues(answer)
    ? texts(answer, 'targets')
        .filter((target) => IS_TARGET.test(target))
        .slice(0, 3)
    : [];
}

function hop(answer: Answer): string {
  return [
    text(answer, 'domain'),
    answer.require_tls === 1 ? 1 : 0,
    text(answer, 'agreement') === '' ? 0 : 1,
    continues(answer) ? 0 : refusal(answer).code,
    text(answer, 'reason'),
    list(targets(answer), IS_TARGET),
  ].join('|');
}

const hops = (answer: Answer): readonly Answer[] => (Array.isArray(answer.hops) ? answer.hops : []);

/** An expression that matches these field names and their short forms, and no other; empty where there are none. */
function removal(names: readonly string[]): string {
  const all = names.flatMap((name) => [name, ...spellings(name.toLowerCase()).slice(1)]);
  return all.length === 0 ? '' : `^(${all.map((name) => name.replace(/[.*+]/g, '[$&]')).join('|')})$`;
}

/** Percent-encoded, but for what is `SAFE`: a semicolon, a quote or a dollar sign would mean something to a script. */
function encoded(value: string): string {
  const safe = new RegExp(SAFE, 'i');
  return [...Buffer.from(value, 'utf8').toString('latin1')]
    .map((byte) => (safe.test(byte) ? byte : `%${byte.charCodeAt(0).toString(16).padStart(2, '0')}`))
    .join('');
}

const revision = (least: string): Field => ({
  ...{ name: 'revision', pattern: `${least}[0-9]{0,9}`, of: (answer) => text(answer, 'revision') },
});
const NOT_KEPT: Field = { name: '0', pattern: '0', of: () => '0' };

/** The fields of each answer. The first two are the same of all: the revision, and the seconds that it may be kept for. */
export const ANSWER_LINES: ReadonlyMap<string, readonly Field[]> = new Map([
  [
    'trust.peer',
    [
      revision('[0-9]'),
      { name: 'ttl', pattern: '[1-9][0-9]{0,8}', of: (answer) => text(answer, 'ttl') },
      { name: 'number;profile', pattern: `(${TREATMENT})`, of: treatment },
      { name: 'per', pattern: '(connection|address|port)', of: (answer) => text(answer, 'per') },
      {
        name: 'agreement|reason|id|action|code|phrase|trusted',
        // A certificate of several partners, each of whom holds, is the one's and the other's: `op-a+op-b`.
        pattern: `[-+_a-z0-9.]*[|][-a-z0-9]*[|][-a-z0-9]*[|](continue|reject|close)[|]${CODE}[|]${PHRASE}[|][01]`,
        of: (answer) => {
          const { code, phrase } = refusal(answer);
          const told = ['agreement', 'reason', 'id', 'action'].map((name) => text(answer, name));
          return [...told, code, phrase, answer.trusted === 1 ? 1 : 0].join('|');
        },
      },
      {
        name: 'assert,...',
        pattern: `(${HOST},)*`,
        of: (answer) => list([...texts(answer, 'asserts'), ...texts(answer, 'assert_hosts')], IS_HOST),
      },
      {
        name: 'more',
        pattern: '[01]',
        of: (answer) => (answer.more === 1 ? '1' : '0'),
      },
    ],
  ],
  [
    'trust.message',
    [
      revision('[0-9]'),
      NOT_KEPT,
      { name: 'action', pattern: '(continue|reject)', of: (answer) => text(answer, 'action') },
      { name: 'trusted', pattern: '[01]', of: (answer) => text(answer, 'trusted') },
      { name: 'code', pattern: CODE, of: (answer) => refusal(answer).code },
      { name: 'phrase', pattern: PHRASE, of: (answer) => refusal(answer).phrase },
      {
        name: 'remove',
        pattern: `(\\^\\(${NAME_PATTERN}([|]${NAME_PATTERN})*\\)[$])?`,
        of: (answer) => (continues(answer) ? removal(texts(answer, 'remove')) : ''),
      },
      {
        name: 'append',
        pattern: `(${NAME_BYTE}+:${VALUE_BYTE}*%0d%0a)*`,
        of: (answer) =>
          continues(answer)
            ? texts(answer, 'append')
                .map((row) => (/[\r\n]/.test(row) ? NO_ROW : `${encoded(row)}%0d%0a`))
                .join('')
            : '',
      },
      {
        name: 'ruri',
        pattern: `([a-z]([-a-z0-9.]|%2b)*:${URI_BYTE}+)?`,
        of: (answer) => (continues(answer) ? encoded(text(answer, 'ruri')) : ''),
      },
    ],
  ],
  [
    'hop.resolve',
    [
      revision('[0-9]'),
      {
        name: 'ttl',
        pattern: '[1-9][0-9]{0,8}',
        of: (answer) => String(Math.min(MOST_HOP_TTL, Math.max(1, Number(answer.ttl)))),
      },
      {
        name: 'address',
        pattern: `${ADDRESS}*`,
        of: (answer) => /^[a-z]+:\[?([0-9a-f:.]+?)\]?:[0-9]+$/.exec(targets(answer)[0] ?? '')?.[1] ?? '',
      },
      { name: 'domain|require_tls|agreed|code|reason|target,target,target,', pattern: HOP, of: hop },
    ],
  ],
  [
    'hop.list',
    [
      revision('[0-9]'),
      NOT_KEPT,
      {
        name: 'a hop as of hop.resolve;...',
        pattern: `${HOP}(;${HOP})*`,
        of: (answer) => hops(answer).slice(0, MOST_ENTRIES).map(hop).join(';') || hop({ action: 'continue' }),
      },
    ],
  ],
  [
    'core.status',
    [
      revision('[1-9]'),
      NOT_KEPT,
      {
        name: 'number;profile',
        pattern: `(${NUMBERED.slice(0, 4)
          .map(({ profile }, index) => `${index + 1};${profile.name}`)
          .join('|')})`,
        of: (answer) => {
          const number = profileNumber(text(answer, 'stranger'), false);
          return `${number};${NUMBERED[number - 1]?.profile.name}`;
        },
      },
      {
        name: 'socket,...',
        pattern: `([a-z]+:${ADDRESS}+,)*`,
        of: (answer) => list(texts(answer, 'sockets'), IS_SOCKET),
      },
    ],
  ],
]);

/** Matches each line whole, and nothing that anybody might break it with. The end shows that it was not cut. */
export const ANSWER_PATTERN = `^(${[...ANSWER_LINES]
  .map(([method, fields]) => [method.replace('.', '[.]'), ...fields.map(({ pattern }) => pattern)].join(';'))
  .join('|')});[.]$`;

const whole = new RegExp(ANSWER_PATTERN, 'i');

/** The line of this answer; undefined: there is none for the method, or a field of it fits in no line. */
export function answerLine(method: string, answer: unknown): string | undefined {
  const fields = ANSWER_LINES.get(method);
  if (fields === undefined || !isRecord(answer)) return undefined;
  const values = fields.map(({ of }) => of(answer));
  const line = [method, ...values, '.'].join(';');
  return values.every(({ length }) => length <= MOST_OCTETS) && whole.test(line) ? line : undefined;
}
