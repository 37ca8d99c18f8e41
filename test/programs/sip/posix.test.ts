/**
 * The script's expressions, matched as Kamailio matches them. The other tests try them in JavaScript, which reads what
 * they hold alike; this one shows that it does, on the same messages.
 */

import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { keptNames } from '../../../src/sip/kamailio/headers.js';
import { BEARS_TO, bearsGluedName, bearsNoName, bearsNothing } from '../../../src/sip/kamailio/pass.js';
import { EMERGENCY_URI, PROFILES } from '../../../src/sip/table/profiles.js';
import { HOOKS } from '../../../src/sip/table/rules.js';
import { anyRows, methods, requestUris } from '../../support/header-blocks.js';
import { posixMatcher } from '../../support/posix-regex.js';
import { runs } from '../../support/runs.js';
import { FRAME } from '../../unit/trust/message/message-support.js';

const posix = posixMatcher();
if (posix === undefined) console.warn('skipped: matching as Kamailio does needs a C compiler (cc), and none is there');
afterAll(() => posix?.close());

/** Messages up to their first NUL, where a C string ends. */
const MESSAGES = fc
  .sample(fc.tuple(anyRows, methods, requestUris, fc.boolean()), { numRuns: runs(300), seed: 20_040_701 })
  .map(([rows, method, uri, request]) => {
    const start = request ? `${method} ${uri} SIP/2.0` : 'SIP/2.0 200 OK';
    return [start, ...FRAME, ...rows, '', ''].join('\r\n').split('\0')[0] ?? '';
  });

const NAMES = [
  ...new Set(
    fc
      .sample(fc.tuple(anyRows), { numRuns: runs(150), seed: 3323 })
      .flatMap(([rows]) => rows.map((row) => /^[^:\0\r\n]*/.exec(row)?.[0] ?? '')),
  ),
];

/** A name of the list. */
function named(names: readonly string[]): RegExp {
  return new RegExp(`^(?:${names.map((name) => name.replace('*', '.*')).join('|')})$`, 'i');
}

describe.skipIf(posix === undefined)('POSIX and JavaScript read the expressions alike', () => {
  it('ok/the lists', () => {
    for (const { hooks } of PROFILES) {
      for (const hook of HOOKS) {
        const names = [...hooks[hook].remove, ...hooks[hook].removeUnlessEmergency];
        const gone = named(names);
        // As keep_hf() sees them, and each of the list besides.
        const fields = [
          ...NAMES.map((name) => name.trim()).filter((name) => /^\S+$/.test(name)),
          ...names.map((name) => name.replace('*', 'x')),
        ];
        const stays = posix?.matches(keptNames(names), fields) ?? [];
        expect(fields.filter((name, i) => gone.test(name) === stays[i])).toEqual([]);
      }
    }
  });

  it('ok/emergency calls', () => {
    const uris = ['urn:service:sos', 'URN:Service:SOS.police', 'urn:service:sosx', 'sip:urn:service:sos', ''];
    expect(posix?.matches(EMERGENCY_URI, uris)).toEqual([true, true, false, false, false]);
  });

  it('fail/a bad expression is told', () => {
    expect(() => posix?.matches('(', ['x'])).toThrow('no POSIX expression');
  });
});

describe.skipIf(posix === undefined)('what the gate out lets pass', () => {
  const profile = PROFILES.find(({ name }) => name === 'untrusted');
  if (profile === undefined) throw new Error('no profile untrusted');
  const { 'request-out': request, 'response-out': response } = profile.hooks;
  const start = 'INVITE sip:alice@a.example SIP/2.0';
  const message = (head: string, rows: readonly string[]) => [head, ...FRAME, ...rows, '', ''].join('\r\n');

  const SAFE = [
    'Contact: <sip:bob@192.0.2.1:5061;transport=tls>;expires=3600',
    'Contact: "who? me" <sip:bob@192.0.2.1>',
    'Contact: "a\\"b?;cpc" <sip:bob@192.0.2.1>',
    'Contact: <sip:bob@192.0.2.1:5060;ob>',
    'To: <sip:%23123@a.example>',
    'To: <sip:100%@a.example;x=%>',
    'To: <sip:%33%3@a.example>;tag=%3',
    'Subject: how are you? sip:x?y',
    'Priority: urgent',
    'Histogram: x',
    'P: x',
    'User-Agent: a;cpc=b?',
    'Geolocation-Error: 400',
  ];
  const PRIVATE = [
    'P-Asserted-Identity: <sip:x@a.example>',
    'p-asserted-identity\t: <sip:x@a.example>',
    'P-Unheard-Of: x',
    'X-Custom: x',
    'History-Info: <sip:x@a.example>;index=1',
    'HISTORY-INFO : <sip:x@a.example>;index=1',
    'Remote-Party-ID: <sip:x@a.example>',
    'Geolocation: <cid:x>',
    'Subject: a\r\n P-Asserted-Identity: x',
    'Subject\r\n : x',
  ];
  const IN_VALUES = [
    'Contact: <sip:bob@192.0.2.1?P-Asserted-Identity=x>',
    'm: <sip:bob@192.0.2.1;cpc=operator>',
    'From: <sip:bob@192.0.2.1; cpc=operator>',
    'Contact: <sip:bob@192.0.2.1;%63pc=operator>',
    'Contact: <sip:bob@192.0.2.1;cp%63=operator>',
    'Contact: <sip:+1%3Bcpc=operator@192.0.2.1>',
    'Contact: <sip:+1%%3%3bcpc=operator@192.0.2.1>',
    'Contact: <sip:bob@192.0.2.1;x=%3borig>',
    'Contact: <sip:bob@192.0.2.1;x;orig>',
    'Contact: <sip:bob@192.0.2.1;\xa0cpc=operator>',
    'Contact: <sip:bob@192.0.2.1; \t\xc2\xa0cpc=operator>',
  ];

  it.each(['request', 'response'] as const)('ok/a %s that bears nothing passes; one that does, does not', (kind) => {
    const hook = kind === 'request' ? request : response;
    const head = kind === 'request' ? start : 'SIP/2.0 200 OK';
    const passes = (pattern: string, rows: readonly string[]) =>
      posix?.matches(
        pattern,
        rows.map((row) => message(head, [row])),
      );
    const [names, all] = [bearsNoName(hook, 'list', kind === 'request' ? 'letter' : 'any'), bearsNothing(hook, kind)];
    expect(passes(all, SAFE)).toEqual(SAFE.map(() => true));
    expect(passes(names, SAFE)).toEqual(SAFE.map(() => true));
    expect(passes(all, PRIVATE)).toEqual(PRIVATE.map(() => false));
    expect(passes(names, PRIVATE)).toEqual(PRIVATE.map(() => false));
    expect(passes(all, IN_VALUES)).toEqual(IN_VALUES.map(() => false));
  });

  it('ok/what our own side has folded passes, unless a private field seems to begin there', () => {
    const folded = [
      ['Allow: INVITE,\r\n\tACK', true],
      ['Contact: <sip:a@a.example>,\r\n <sip:b@b.example>', true],
      ['Subject: a\r\n P-Asserted-Identity: <sip:a@a.example>', false],
      ['Subject: a\r\n b\r\n\tp-served-user \t: <sip:a@a.example>', false],
    ] as const;
    const texts = folded.map(([row]) => message(start, [row]));
    expect(posix?.matches(bearsNoName(request, 'list', 'letter'), texts)).toEqual(folded.map(([, passes]) => passes));
  });

  it('ok/what a plan has cleaned may bear what it lets stay or rewrites, and nothing else', () => {
    const judged = ['P-Asserted-Identity: <sip:a@a.example>', 'History-Info: <sip:a@a.example>;index=1'];
    const others = PRIVATE.filter((row) => !/^(?:p-asserted-identity|history-info|diversion)[ \t]*:/i.test(row));
    for (const name of ['untrusted-rfc3325', 'untrusted-ims24229'] as const) {
      const hook = PROFILES.find((profile) => profile.name === name)!.hooks['request-out'];
      const passes = (rows: readonly string[], by: 'list' | 'plan') =>
        posix?.matches(
          bearsNoName(hook, by, 'letter'),
          rows.map((row) => message(start, [row])),
        );
      expect(passes(judged, 'plan')).toEqual(judged.map(() => true));
      expect(passes(judged, 'list')).toEqual(judged.map(() => false));
      expect(passes(others, 'plan')).toEqual(others.map(() => false));
    }
    expect(request.judged).toEqual([]);
  });

  it('fail/what a script has written into a row that is gone stands before the name of the next one', () => {
    const passes = (pattern: string, rows: readonly string[]) =>
      posix?.matches(
        pattern,
        rows.map((row) => message(start, [row])),
      );
    const glued = ['495551234Supported: 100rel', '+495551234To: <sip:a@a.example>', '"A"sip:a@a.exampleSubject: x'];
    expect(passes(bearsNoName(request, 'list', 'letter'), glued)).toEqual([false, false, false]);
    const named = ['Asip:a@a.exampleSubject: x', 'AnonymousCall-ID: a'];
    expect(passes(bearsGluedName(), named)).toEqual([true, true]);
    const others = ['Reply-To: <sip:a@a.example>', 'Hotel: d', 'Gossip:', 'To:<sip:a@a.example>\r\n\r\natel:b:'];
    expect(passes(bearsGluedName(), others)).toEqual(others.map(() => false));
    const alone = (rows: readonly string[]) =>
      posix?.matches(
        BEARS_TO,
        rows.map((row) => `${start}\r\n${row}\r\n\r\n`),
      );
    expect(alone(['To: <sip:a@a.example>', 't :<sip:a@a.example>'])).toEqual([true, true]);
    const without = ['AnonymousTo: <sip:a@a.example>', 'Photo: a', 'Subject: to:\r\n\r\nTo: a'];
    expect(alone(without)).toEqual(without.map(() => false));
  });

  it('ok/a Request-URI counts', () => {
    const valueless = 'ACK sip:a@a.example:5060;transport=tls;ob SIP/2.0';
    const heads = [
      'INVITE sip:a@a.example;orig SIP/2.0',
      'INVITE sip:a@a.example;lr;orig SIP/2.0',
      'INVITE sip:a@a.example?Subject=x SIP/2.0',
      start,
      valueless,
    ];
    expect(
      posix?.matches(
        bearsNothing(request, 'request'),
        heads.map((head) => message(head, [])),
      ),
    ).toEqual([false, false, false, true, true]);
  });

  it('ok/what the list leaves of random messages passes', () => {
    const list = named([...request.remove, ...request.removeUnlessEmergency]);
    const cleaned = MESSAGES.map((text) =>
      text
        .split('\r\n')
        .filter((line) => /^([-a-z0-9.!%*_+`'~]+[ \t]*:|\S+ \S+ SIP\/2|SIP\/2|$)/i.test(line))
        .filter((line) => !line.includes('\r') && !line.includes('\n'))
        .filter((line) => !list.test(line.split(':')[0]?.trim() ?? ''))
        .join('\r\n'),
    ).filter((text) => text.endsWith('\r\n\r\n'));
    expect(cleaned.length).toBeGreaterThan(100);
    expect(posix?.matches(bearsNoName(request, 'list', 'letter'), cleaned)).toEqual(cleaned.map(() => true));
  });
});
