import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { bearsElsewhere, bearsName } from '../../../../src/sip/opensips/bearing.js';
import { opensipsInclude, removalPattern } from '../../../../src/sip/opensips/headers.js';
import { bodyPattern, linePatterns, privateFields } from '../../../../src/sip/opensips/watch.js';
import {
  DIGEST_PARAMS,
  otherThan,
  PLAIN_VALUES,
  plainRequestUri,
  SHAPE,
  wholeMessages,
} from '../../../../src/sip/opensips/whole-lines.js';
import { isEmergencyCall } from '../../../../src/sip/script/emergency.js';
import { bearingParam } from '../../../../src/sip/script/posix.js';
import { BOUNDARY_RULES } from '../../../../src/sip/table/boundary.js';
import {
  type Bearing,
  EMERGENCY_URI,
  PROFILES,
  type Profile,
  type ProfileName,
} from '../../../../src/sip/table/profiles.js';
import {
  actionOf,
  HOOKS,
  type Hook,
  hookClass,
  hookDirection,
  strangerStance,
} from '../../../../src/sip/table/rules.js';
import { planMessage } from '../../../../src/trust/message/message.js';
import { applyPlan } from '../../../support/apply-plan.js';
import { anyRows, methods, requestUris } from '../../../support/header-blocks.js';
import { SPELLINGS } from '../../../support/header-spellings.js';
import { posixMatcher } from '../../../support/posix-regex.js';
import { runs } from '../../../support/runs.js';
import { type Case, FRAME, inputOf } from '../../../unit/trust/message/message-support.js';

const posix = posixMatcher();
if (posix === undefined) console.warn('skipped: matching as OpenSIPS does needs a C compiler (cc), and none is there');
afterAll(() => posix?.close());

function named(name: ProfileName): Profile {
  return PROFILES.find((profile) => profile.name === name)!;
}

function patternsOf(name: ProfileName, hook: Hook) {
  const { stance, hooks } = named(name);
  return wholeMessages(hook, stance, hooks[hook].remove, named('strict').hooks[hook].remove);
}

/** What subst() takes out: no line end stands in a bracket expression there (REG_NEWLINE). */
const substituted = (bearing: Bearing): RegExp =>
  new RegExp(bearingParam(bearing).replaceAll('[^"\\\\]', '[^"\\\\\\n]'), 'gi');

/** What the script and SIPTRUST_BEARS_ODD find of a message; undefined: it bears no such name. */
function bornBy(raw: string, bearing: Bearing): { readonly odd: boolean } | undefined {
  const finds = (pattern: string, text: string): boolean => posix?.matches(pattern, [text])[0] === true;
  if (!finds(bearsName(bearing), raw)) return undefined;
  const left = raw.replace(substituted(bearing), '');
  return { odd: finds(bearsName(bearing), left) || finds(bearsElsewhere(bearing), raw) };
}

/** What the script finds of each message: does the list alone settle it? */
function settled(pattern: string, messages: readonly string[]): readonly boolean[] {
  const shaped = posix!.matches(SHAPE, messages);
  return posix!.matches(pattern, messages).map((found, i) => found && shaped[i] === true);
}

describe('the OpenSIPS include', () => {
  it('ok/every expression over a message is anchored, so that one pass over it is enough', () => {
    const expressions = [...opensipsInclude().matchAll(/\$(?:mb|ru) =~ "(.)/g)].map(([, first]) => first);
    expect(expressions.length).toBeGreaterThan(20);
    expect(new Set(expressions)).toEqual(new Set(['^']));
  });

  it('ok/of the 99 routes that OpenSIPS holds (RT_NO in its config.h), 36 are left for the script', () => {
    const files = ['siptrust.cfg', 'siptrust-headers.cfg'].map((name) =>
      readFileSync(new URL(`../../../../plugin/opensips/${name}`, import.meta.url), 'utf8'),
    );
    expect(files.join('\n').match(/^route\[/gm)?.length).toBeLessThanOrEqual(99 - 36);
  });

  /** What is done at a hook of a profile. */
  const cases = (route: string): readonly string[] => {
    const [, text = ''] = opensipsInclude().split(new RegExp(`^route\\[${route}\\] \\{\n`, 'm'));
    return text.slice(0, text.indexOf('\n}\n')).split(/^\t(?:\tcase \d+:|if \(\$var\(siptrust_hook\) == .*)\n/m);
  };
  const bearing = (field: string) => `if (!(${isEmergencyCall('NULL')}) && $mb =~ "^([^\\r\\n]+\\r\\n)+(${field}|`;
  const strangers = PROFILES.filter(({ stance }) => !stance.trusted).length;

  it('ok/the number of a handset goes by the list where a message leaves to a stranger, but in no emergency call', () => {
    const contact = bearing('contact');
    const lists = cases('SIPTRUST_LIST').filter((each) => each.includes(contact));
    expect(lists.length).toBeGreaterThanOrEqual(strangers);
    for (const each of lists) expect(each.split(contact)[1]).toMatch(/^.*\) \{\n\t+subst\(/);
    for (const [route, found, least] of [
      ['SIPTRUST_LOOK', 'ask', strangers],
      ['SIPTRUST_LOOK_UNANSWERED', 'unsafe', 1],
    ] as const) {
      const looks = cases(route).filter((each) => each.includes(contact));
      expect(looks.length).toBeGreaterThan(least);
      for (const each of looks)
        expect(each.split(contact)[1]).toMatch(
          new RegExp(`^.* && route\\(SIPTRUST_BEARS_ODD\\)\\) \\{\n\t+\\$var\\(siptrust_look\\) = "${found}"`),
        );
    }
  });

  it('ok/one that another field bears is asked about, and none of it goes by a list', () => {
    const others = bearing('accept-contact|a|reject-contact|j|refer-to');
    const found = (route: string, word: string) =>
      cases(route).filter((each) =>
        new RegExp(`^.*\\{\n\t+\\$var\\(siptrust_look\\) = "${word}"`).test(each.split(others)[1] ?? ''),
      ).length;
    expect(found('SIPTRUST_LOOK', 'ask')).toBeGreaterThan(2);
    expect(found('SIPTRUST_LOOK_UNANSWERED', 'unsafe')).toBeGreaterThan(0);
    expect(cases('SIPTRUST_LIST').some((each) => each.includes(others))).toBe(false);
  });

  it('ok/what counts as plain is in no row of the table', () => {
    for (const [field, values] of PLAIN_VALUES) {
      const rows = BOUNDARY_RULES.filter(({ kind, within }) => kind !== 'header' && within.includes(field));
      for (const { name } of rows) expect(values).not.toContain(name);
      expect(rows.length).toBeGreaterThan(0);
    }
    const params = BOUNDARY_RULES.filter(({ kind }) => kind === 'header-param').map(({ name }) => name);
    expect(DIGEST_PARAMS.filter((name) => params.includes(name))).toEqual([]);
  });
});

describe('fields that scripts add', () => {
  const groups = privateFields();
  const listed = groups.flatMap(({ names }) => names);

  it('ok/each row of the table that no stranger gets in a request is looked for, prefixes aside', () => {
    const rows = BOUNDARY_RULES.filter(
      (row) =>
        row.kind === 'header' &&
        row.methods.length === 0 &&
        row.applies.includes('request') &&
        actionOf(row, 'out', strangerStance('strict33203')) === 'remove' &&
        !row.name.endsWith('*'),
    ).map(({ name }) => name);
    expect(rows.length).toBeGreaterThan(50);
    expect(rows.filter((name) => !listed.includes(name))).toEqual([]);
    expect(listed.filter((name) => !rows.includes(name))).toEqual([]);
  });

  it('ok/what a mode lets strangers have is not looked for in that mode', () => {
    expect(groups.filter(({ but }) => but.length > 0)).toEqual([
      { names: ['Feature-Caps'], but: ['untrusted-ims24229'] },
    ]);
  });

  it('ok/the file holds the same patterns for both families', () => {
    const text = opensipsInclude();
    const of = (network: string) =>
      text
        .split('\n')
        .filter((row) => row.includes(network))
        .map((row) => row.split('"')[1]);
    expect(of('( any , ::/0 ,').length).toBeGreaterThan(20);
    expect(of('( any , ::/0 ,')).toEqual(of('( any , 0.0.0.0/0.0.0.0 ,'));
  });

  /** fnmatch() of these patterns, as far as they use it. */
  const found = (text: string): boolean =>
    linePatterns(listed).some((pattern) =>
      new RegExp(`^${pattern.replaceAll('*', '.*')}$`, 's').test(`MESSAGE sip:x@y SIP/2.0\r\n${text}\r\n\r\n`),
    );
  const spelt = listed.flatMap((name) => [
    `${name}: x`,
    `${name.toLowerCase()} : x`,
    `${name.toUpperCase()}\r\n : x`,
    `${name}\t: x`,
  ]);
  it('ok/in each spelling of a script', () => expect(spelt.filter((row) => !found(row))).toEqual([]));
  it.each([
    'P-hint: x',
    'X-Account: x',
    'Pathway: x',
    'Priority: x',
    'Response: x',
    'Subject: Path: x',
    'Via: x\r\n Path: x',
  ])('ok/and nothing else: %j', (row) => expect(found(row)).toBe(false));

  it.skipIf(posix === undefined)(
    'ok/what the lists would see in a body, the expression over the body sees, and no more',
    () => {
      const bodies = [
        ...spelt,
        'hello\r\nP-Asserted-Identity: x',
        'hello P-A',
        'p-s: see you',
        'v=0\r\np=+49',
        'P\r\n-A',
        'a\nb\nPath',
        'pathos: x',
      ];
      const seen = bodies.map((body) => found(`Content-Length: 1\r\n\r\n${body}`));
      expect(seen).toContain(false);
      expect(
        posix?.matches(
          bodyPattern(listed),
          bodies.map((body) => `${body}\r\n\r\n`),
        ),
      ).toEqual(seen);
    },
  );
});

describe.skipIf(posix === undefined)('names, as remove_hf_re() sees them', () => {
  const pattern = removalPattern(['P-Asserted-Identity', 'Subject', 's', 'X-*']);
  const cases: readonly (readonly [string, boolean])[] = [
    ['P-Asserted-Identity', true],
    ['p-asserted-identity', true],
    ['P-Asserted-Identity\r\n', true],
    ['P-Asserted-Identity\x01', true],
    ['P-Asserted-Identity\xa0', true],
    ['\x01P-Asserted-Identity', true],
    ['\xc2\xa0P-Asserted-Identity', true],
    // A line without a colon, and the next one: OpenSIPS takes both for one name.
    ['garbage\r\nP-Asserted-Identity', true],
    ['s', true],
    ['X-Anything', true],
    ['X-', true],
    ['P-Asserted-Identity2', false],
    ['NP-Asserted-Identity', false],
    ['Su', false],
    ['To', false],
  ];
  it.each(cases)('ok/%j: %s', (name, expected) => {
    expect(posix?.matchesLines(pattern, [name])).toEqual([expected]);
  });
});

describe.skipIf(posix === undefined)('the 28 spellings of a private field', () => {
  /** The name as OpenSIPS cuts it: up to a colon or a blank, whatever else stands there. */
  const cut = (row: string): string => /^[^: \t]*/.exec(row)?.[0] ?? '';
  const HOOK_FRAMES = { request: 'INVITE sip:alice@a.example SIP/2.0', response: 'SIP/2.0 200 OK' } as const;

  it('ok/there are 28', () => expect(SPELLINGS.size).toBe(28));

  it.each(HOOKS)('ok/%s: each is removed, or no list settles the message', (hook) => {
    const rows = [...SPELLINGS.values()];
    const messages = rows.map((row) =>
      [HOOK_FRAMES[hookClass(hook)], ...FRAME, row, 'Max-Breadth: 60', '', ''].join('\r\n'),
    );
    const names = rows.map((row) => row.split(/\r\n(?![ \t])/).map(cut));
    const gone = posix?.matchesLines(removalPattern(named('untrusted').hooks[hook].remove), names.flat()) ?? [];
    const left = new Set(names.flat().filter((_, i) => gone[i] !== true));
    const { plain, safe } = patternsOf('untrusted', hook);
    for (const pattern of [plain, safe]) {
      const alone = settled(pattern, messages);
      const leaks = rows.filter((_, i) => alone[i] === true && names[i]?.some((name) => left.has(name)));
      expect(leaks).toEqual([]);
      // Those that are a field to every reader take no question.
      expect(alone.filter((is) => is).length).toBeGreaterThan(8);
    }
  });

  it.each(['as it is', 'lower case', 'a tab before the colon', 'a fold behind the colon'])(
    'ok/%s needs no question',
    (what) => {
      const message = [HOOK_FRAMES.request, ...FRAME, SPELLINGS.get(what), '', ''].join('\r\n');
      expect(settled(patternsOf('untrusted', 'request-in').plain, [message])).toEqual([true]);
    },
  );
});

describe.skipIf(posix === undefined)('the number of a handset', () => {
  const [bearing] = named('untrusted').hooks['request-out'].lines.bearing as [Bearing];
  const plain = ';+sip.instance="<urn:gsma:imei:1>"';
  const found = (rows: readonly string[], body = '') =>
    bornBy(['INVITE sip:a@a.example SIP/2.0', ...FRAME, ...rows, '', body].join('\r\n'), bearing)?.odd;
  const long = 'x'.repeat(60_000);

  it.each([
    ['no number', ['Contact: <sip:b@b.example>;+sip.instance="<urn:uuid:1>"'], undefined],
    ['in another field alone', [`Subject: x${plain}`], undefined],
    ['in one whose name only begins so', [`Contacts: x${plain}`, `Conta: x${plain}`, `M-X: ${plain}`], undefined],
    ['plain', [`Contact: <sip:b@b.example>${plain}`], false],
    ['plain, of 60,000 bytes', [`Contact: <sip:b@b.example>;x=${long}${plain}`], false],
    ['plain, in any spelling', [`M\t: <sip:b@b.example> ;\t+SIP.Instance\t=\t"<URN:Device-ID:MEID:A>"${plain}`], false],
    ['plain, behind a fold', [`Contact: <sip:b@b.example>\r\n ${plain}`], false],
    ['within a fold', ['Contact: <sip:b@b.example>;+sip.instance=\r\n "<urn:gsma:imei:1>"'], true],
    ['without quotes', ['Contact: <sip:b@b.example>;+sip.instance=<urn:gsma:imei:1>'], true],
    ['the same behind 60,000 bytes', [`Contact: <sip:b@b.example>;x=${long};+sip.instance=<urn:gsma:imei:1>`], true],
    ['with an escape', ['Contact: <sip:b@b.example>;+sip.instance="<urn:gsma:imei:1>\\""'], true],
    ['by another name', [`Contact: <sip:b@b.example>${plain};x="urn:gsma:imei:1"`], true],
    ['in the address', [`Contact: <sip:b@b.example;gr=urn:gsma:imei:1>${plain}`], true],
    ['two that hide each other', ['Contact: <b:c>;+sip.instance="urn:gsma:imei;+sip.instance="urn:gsma:imei"'], true],
    ['plain, and in another field', [`Contact: <sip:b@b.example>${plain}`, `Via: SIP/2.0/UDP b${plain}`], true],
  ] as const)('ok/%s', (_, rows, odd) => expect(found(rows)).toBe(odd));

  it('ok/in a body', () => {
    expect(found([], `Contact: <sip:b@b.example>${plain}`)).toBe(undefined);
    expect(found([`Contact: <sip:b@b.example>${plain}`], `Contact: <sip:b@b.example>${plain}`)).toBe(true);
  });
});

const SETTINGS: readonly (readonly [ProfileName, Case])[] = [
  ['untrusted', {}],
  ['untrusted-rfc3325', { mode: 'rfc3325' }],
  ['untrusted-ims24229', { mode: 'ims24229' }],
  ['trusted', { trusted: true }],
  ['trusted-roaming', { trusted: true, agreement: { interconnect: 'roaming' } }],
  ['trusted-enterprise', { trusted: true, agreement: { interconnect: 'enterprise' } }],
];

/** What Kamailio alone has to keep: a list of OpenSIPS takes it with P-*. */
const KAMAILIOS = /^p-(sr-x(branch|uid)|hint)$/;

describe.skipIf(posix === undefined)('what is plain', () => {
  const messages = fc.sample(fc.tuple(anyRows, methods, requestUris), { numRuns: runs(60), seed: 24_229 });

  it.each(SETTINGS.flatMap(([name, spec]) => HOOKS.map((hook) => [name, hook, spec] as const)))(
    'ok/%s %s: the list settles as the plan would',
    (name, hook, spec) => {
      const profile = named(name);
      const message = hookClass(hook);
      const inputs = messages.map(([rows, method, ruri]) => {
        const input = inputOf(rows, { ...spec, direction: hookDirection(hook), message, method, status: 200, ruri });
        const head = message === 'request' ? `${method} ${ruri} SIP/2.0` : 'SIP/2.0 200 OK';
        return { input, raw: `${head}\r\n${input.block.rows.map((row) => row.raw + row.end).join('')}\r\n` };
      });
      const plain = settled(
        patternsOf(name, hook).plain,
        inputs.map(({ raw }) => raw),
      );
      const { remove, removeUnlessEmergency } = profile.hooks[hook];
      const names = [...new Set(inputs.flatMap(({ input }) => input.block.fields.map((field) => field.name)))];
      const removed = (list: readonly string[]): ReadonlySet<string> => {
        const found = posix!.matchesLines(removalPattern(list), names);
        return new Set(names.filter((_, i) => found[i] === true));
      };
      const always = removed(remove);
      const otherwise = removeUnlessEmergency.length === 0 ? new Set<string>() : removed(removeUnlessEmergency);
      const [bearing] = profile.hooks[hook].lines.bearing;
      const borne = inputs.map(({ raw }) => (bearing === undefined ? undefined : bornBy(raw, bearing)));
      let looked = 0;
      for (const [i, { input }] of inputs.entries()) {
        const keys = input.block.fields.map(({ key }) => key);
        const count = (key: string): number => keys.filter((each) => each === key).length;
        // What SIPTRUST_ODD and SIPTRUST_SCREEN look at.
        const once = ['from', 'to', 'call-id', 'cseq'].every((key) => count(key) === 1);
        if (!once || count('content-length') > 1 || count('max-forwards') > 1) continue;
        if (hook === 'request-in' && input.method === 'REGISTER') continue;
        const from = input.block.fields.find(({ key }) => key === 'from')?.value ?? '';
        if (name.startsWith('trusted') && hookDirection(hook) === 'in' && keys.includes('p-asserted-identity'))
          continue;
        if (name.startsWith('trusted') && hook === 'request-in' && !from.includes('@b.example>')) continue;
        // And what SIPTRUST_LOOK looks for beside its expression.
        const call = message === 'request' && new RegExp(EMERGENCY_URI, 'i').test(input.ruri ?? '');
        if (!call && borne[i] !== undefined && borne[i].odd) continue;
        if (plain[i] !== true) continue;
        looked += 1;
        const plan = planMessage(input);
        expect(plan.ruri).toBe('');
        if (plan.action === 'reject') {
          expect([400, 513]).toContain(plan.code);
          continue;
        }
        const emergency = message === 'request' && new RegExp(EMERGENCY_URI, 'i').test(input.ruri ?? '');
        const bare = message === 'request' && (input.method === 'ACK' || input.method === 'CANCEL');
        const goes = (field: string, key: string): boolean =>
          always.has(field) || (!emergency && otherwise.has(field)) || (bare && key === 'p-asserted-identity');
        const borneHere = borne[i] !== undefined && !call && bearing !== undefined;
        const left = input.block.fields
          .filter((field) => !goes(field.name, field.key))
          .map(({ raw }) => (borneHere ? raw.replace(substituted(bearing), '') : raw));
        const planned = applyPlan(input.block, plan)
          .fields.filter(({ key }) => !KAMAILIOS.test(key) || !goes(key, key))
          .map(({ raw }) => raw);
        expect(left.sort()).toEqual(planned.sort());
      }
      expect(looked).toBeGreaterThan(0);
    },
    60_000,
  );

  const start = 'INVITE sip:a@a.example SIP/2.0';
  it.each([
    ['untrusted', 'request-in', 'INVITE sip:a@a.example;orig SIP/2.0', [], false],
    ['untrusted', 'request-in', 'INVITE sip:a@a.example;original=1 SIP/2.0', [], true],
    ['untrusted', 'request-in', 'INVITE sip:a@a.example;or;user=phone SIP/2.0', [], true],
    ['untrusted', 'request-in', start, ['Contact: <sip:b@b.example;%6Frig>'], false],
    ['untrusted', 'request-in', start, ['Contact: <sip:b@b.example;\toli=1>'], false],
    ['untrusted', 'request-in', start, ['Contact: <sip:b@b.example;o;oli=1>'], false],
    ['untrusted', 'request-in', start, ['Contact: <sip:b@b.example?Subject=x>'], false],
    ['untrusted', 'request-in', start, ['Require: 100rel, timer', 'Priority: urgent'], true],
    ['untrusted', 'request-in', start, ['Require: histinfo'], false],
    ['untrusted', 'request-in', start, ['Priority:\r\n psap-callback'], false],
    ['untrusted', 'request-in', start, ['Call-Info: <https://c.example/boss>;purpose=jcard'], false],
    ['untrusted', 'request-in', start, ['Call-Info: answer-after=0'], false],
    ['untrusted', 'request-in', start, ['Subject: folded\r\n but harmless'], true],
    ['untrusted', 'request-in', start, ['Subject: folded\r\n P-Foo: x'], false],
    ['untrusted', 'request-in', start, ['History-Info: <sip:a@b.example?Reason=x>;oli=1'], true],
    ['untrusted', 'request-in', start, ['Privacy: critical'], false],
    ['untrusted', 'request-in', start, ['Geolocation: <cid:x>;loc-src=a'], false],
    ['untrusted', 'request-in', start, ['Geolocation: <cid:x>;%6Coc-src=a'], false],
    ['untrusted', 'request-in', start, ['Geolocation: <cid:x>;q=1, <https://l/y>;lo', 'm: <sip:b@b;pn-prid=x>'], true],
    ['untrusted', 'request-out', start, ['m: <sip:a@a.example;pn-prid=x>'], false],
    ['untrusted', 'request-out', start, ['Session-ID: 1;remote=2;LogMe'], false],
    ['untrusted', 'response-in', 'SIP/2.0 200 OK', ['Session-ID: 1;remote=2;logmein'], true],
    ['untrusted', 'request-out', start, ['Contact: <sip:a@a.example;pn-purr=x;pn-params>;p'], true],
    ['untrusted', 'request-out', start, ['Privacy: id', 'P-Asserted-Identity: <sip:b@b.example>'], true],
    ['untrusted', 'request-out', start, ['Privacy: history'], false],
    ['untrusted-rfc3325', 'request-out', start, ['P-Asserted-Identity: <sip:b@b.example>'], false],
    ['trusted', 'request-in', start, ['P-Charging-Vector: icid-value=1;orig-ioi=x'], true],
    ['trusted', 'request-in', start, ['P-Charging-Vector: icid-value=1;ggsn=x'], false],
    ['untrusted', 'request-in', start, ['Content-Type: application/sdp'], true],
    ['untrusted', 'request-in', start, ['c: application/isup;version=x'], false],
    ['untrusted', 'request-in', start, ['c: text/plain'], true],
    ['untrusted', 'request-out', start, ['Date: a\xc0\x8aP-Asserted-Identity: x'], false],
    ['untrusted', 'request-out', start, ['Date: a\x85P-Asserted-Identity: x'], false],
    [
      'untrusted',
      'request-in',
      start,
      ['Authorization: Digest username="a", realm="b@c", uri="sip:b;transport=tls"'],
      true,
    ],
    ['untrusted', 'request-in', start, ['Proxy-Authorization : digest nonce="a+/=",qop=auth , nc=00000001'], true],
    ['untrusted', 'request-in', start, ['Authorization: Digest realm="b", integrity-protected="yes"'], false],
    [
      'untrusted',
      'request-in',
      start,
      ['Authorization: Digest realm="b\\", nonce=", integrity-protected=yes, x="'],
      false,
    ],
    ['untrusted', 'request-in', start, ['Authorization: Digest realm="b", uri="sip:b;oli=1"'], false],
    ['untrusted', 'request-in', start, ['Authorization: Digest realm="b", uri="sip:b?P-Served-User=1"'], false],
    ['untrusted', 'request-in', start, ['Authorization: Basic integrity-protected'], false],
    [
      'untrusted',
      'response-out',
      'SIP/2.0 401 x',
      ['WWW-Authenticate: Digest realm="b", qop="auth,auth-int", stale=FALSE'],
      true,
    ],
    ['untrusted', 'response-out', 'SIP/2.0 401 x', ['WWW-Authenticate: Digest realm="b", ik="0"'], false],
    ['untrusted', 'request-out', start, ['Subject: \xe0 \xf0\x9f\x98\x80 M\xfcller'], true],
  ] as const)('ok/%s %s %s %j: %s', (name, hook, line, rows, expected) => {
    const message = [line, ...FRAME, ...rows, '', ''].join('\r\n');
    expect(settled(patternsOf(name, hook).plain, [message])).toEqual([expected]);
  });
});

describe.skipIf(posix === undefined)('lines that every reader ends alike', () => {
  const shaped = (rows: readonly string[]) =>
    posix?.matches(
      SHAPE,
      rows.map((row) => ['INVITE sip:a@a.example SIP/2.0', ...FRAME, row, '', ''].join('\r\n')),
    );
  const ENDS = [
    '\x85',
    '\xc2\x85',
    '\xc0\x8a',
    '\xc1\x8a',
    '\xe2\x80\xa8',
    '\xe2\x80\xa9',
    '\xe0\x80\x8a',
    '\xe0\x82\x85',
    '\xe0\x9f\xbf',
    '\xf0\x80\x80\x8a',
    '\xf0\x80\x82\x85',
    '\xf0\x8f\xbf\xbf',
  ];
  const LETTERS = ['', 'a', 'Å', '’', '内', '😀', '\x80', '\xbf', '\xc3\xa9\x8a'].map((text) =>
    /[^\0-\xff]|Å/.test(text) ? Buffer.from(text).toString('latin1') : text,
  );

  it('fail/a bracket that never closes, as a host or in a Via: some reader reads on', () => {
    const open = [
      ...['Contact', 'm', 'Record-Route', 'Route', 'From', 't', 'Path'].map((name) => `${name}: <sip:a@[`),
      ...['Contact:\r\n <sip:a@[', 'Contact : sip:[::1', 'Route: <sip:[::1];lr>, <sip:[::1'],
      ...['Via: SIP/2.0/UDP [', 'v: SIP/2.0/UDP [::1', 'VIA : SIP/2.0/UDP a.example;x ('],
    ];
    expect(shaped(open)).toEqual(open.map(() => false));
    const closed = [
      ...[
        'm: "[x]" <sip:a@[::1]:5060>',
        'Record-Route: <sip:[::1];lr>,\r\n <sip:[::2];lr>',
        'Subject: (a [b',
        'Foo: <sip:[',
      ],
      ...['Via: SIP/2.0/UDP [::1]:5060;received=[::1]', 'Contact:\r\n <sip:[2001:db8::1]>', "Vias!.*+_`'~: (["],
    ];
    expect(shaped(closed)).toEqual(closed.map(() => true));
  });

  it('fail/what may end one, behind any letter: in a value, in a fold, in the start line', () => {
    const rows = ENDS.flatMap((end) =>
      LETTERS.flatMap((letter) => [
        `Subject: x${letter}${end}P-Asserted-Identity: y`,
        `Subject: x\r\n ${letter}${end}P-Asserted-Identity y`,
        `Subject: x\r\n <sip:${letter}${end}P-Asserted-Identity: y`,
      ]),
    );
    const found = shaped(rows) ?? [];
    expect(rows.filter((_, i) => found[i] === true)).toEqual([]);
  });

  it('ok/letters of any language, and of Latin-1', () => {
    const names = [
      'Åsa Öberg',
      'O’Brien – € … Ⅷ',
      'अअ हिन्दी ไทย',
      '内部 田中',
      '😀 𝄞',
      '© NBSP\u00a0x',
      'Ж Ѕ Ä',
      '퍅',
      'ՅԱ',
    ];
    const latin = ['Château \xe0 la', 'Ch\xe2teau', '\xc0 bient\xf4t', '\xc2ge', '\xf0lafur', 'M\xfcller'];
    const rows = [...names.map((name) => Buffer.from(name).toString('latin1')), ...latin].flatMap((name) => [
      `Subject: ${name}`,
      `Subject: x\r\n ${name}`,
    ]);
    const found = shaped(rows) ?? [];
    expect(rows.filter((_, i) => found[i] !== true)).toEqual([]);
  });
});

describe.skipIf(posix === undefined)('a Request-URI that a script writes', () => {
  it.each([
    ['untrusted', 'sip:a@b.example', true],
    ['untrusted', 'sip:+1555;phone-context=b.example@b.example:5060;user=phone;transport=tls', true],
    ['untrusted', 'sip:a@b.example;cpcx=1;olive', true],
    ['untrusted', 'sip:a@b.example;cpc=payphone', false],
    ['untrusted', 'sip:a@b.example;user=phone;\tOLI=1', false],
    ['untrusted', 'tel:+1555;isup-oli=1', false],
    ['untrusted', 'sip:a;cpc=1@b.example', false],
    ['untrusted', 'sip:a@b.example;%6Frig', false],
    ['untrusted', 'sip:a@b.example;\xa0cpc=1', false],
    ['untrusted', 'sip:a@b.example;lr; \xc2\xa0orig', false],
    ['untrusted', 'sip:a@b.example;x=\xa0;lr', true],
    ['untrusted', 'sip:+1%3Bcpc=1@b.example', false],
    ['untrusted', 'sip:+1%3%3bcpc=1@b.example', false],
    ['untrusted', 'sip:a;x=%3borig@b.example', false],
    ['untrusted', 'sip:%2330%25%3@b.example;x=%', true],
    ['trusted', 'sip:+1%3Bx=1@b.example', true],
    ['untrusted', 'sip:a@b.example?Subject=x', false],
    ['untrusted-rfc3325', 'sip:a@b.example;orig', false],
    ['ask', 'sip:a@b.example;orig', false],
    ['trusted', 'sip:a@b.example;cpc=payphone', true],
  ] as const)('ok/%s %s: %s', (name, uri, expected) => {
    expect(posix?.matches(plainRequestUri(named(name).stance), [uri])).toEqual([expected]);
  });
});

describe.skipIf(posix === undefined)('with nobody to ask', () => {
  it.each([
    [['History-Info: <sip:a@b.example?Reason=x>'], true],
    [['Priority: psap-callback', 'Call-Info: <http://x/>;purpose=card'], true],
    [['Call-Info: <sip:x@c.example>;answer-after=0'], true],
    [['Require: histinfo'], true],
    [['Privacy: header;user'], true],
    [['Privacy: id;critical'], false],
    [['Contact: <sip:b@b.example;oli=1>'], false],
    [['Refer-To: <sip:b@b.example?P-Asserted-Identity=x>'], false],
  ] as const)('ok/%j: %s', (rows, expected) => {
    const message = ['INVITE sip:a@a.example SIP/2.0', ...FRAME, ...rows, '', ''].join('\r\n');
    expect(settled(patternsOf('strict', 'request-in').safe, [message])).toEqual([expected]);
  });
});

describe.skipIf(posix === undefined)('otherThan', () => {
  const names = ['c', 'call-info', 'content-type', 'priority'];
  const pattern = `^${otherThan(names, ': ')}:`;
  it.each([
    ...names.map((name) => [name, false] as const),
    ...names.flatMap((name) => [[`${name}x`, true] as const, [`x${name}`, true] as const]),
    ...names.filter((name) => name.length > 2).map((name) => [name.slice(0, -1), true] as const),
    ['ca', true],
    ['PRIORITY', false],
    ['c-', true],
  ] as const)('ok/%s: %s', (name, expected) => {
    expect(posix?.matches(pattern, [`${name}:`])).toEqual([expected]);
  });
});
