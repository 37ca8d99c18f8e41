/**
 * The script's expressions, matched as Kamailio matches them. The other tests try them in JavaScript, which reads what
 * they hold alike; this one shows that it does, on the same messages.
 */

import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { keptNames } from '../../../src/sip/lists/kamailio.js';
import { bearsNothing } from '../../../src/sip/lists/last-bytes.js';
import { EMERGENCY_URI, PROFILES, type Profile, type ProfileName } from '../../../src/sip/table/profiles.js';
import { HOOKS } from '../../../src/sip/table/rules.js';
import { planMessage } from '../../../src/trust/message/message.js';
import { applyPlan } from '../../support/apply-plan.js';
import { anyRows, methods, requestUris } from '../../support/header-blocks.js';
import { posixMatcher } from '../../support/posix-regex.js';
import { runs } from '../../support/runs.js';
import { type Case, FRAME, inputOf } from '../../unit/trust/message/message-support.js';

const posix = posixMatcher();
if (posix === undefined) console.warn('skipped: matching as Kamailio does needs a C compiler (cc), and none is there');
afterAll(() => posix?.close());

const SAMPLES = fc.sample(fc.tuple(anyRows, methods, requestUris, fc.boolean()), { numRuns: runs(400), seed: 24_229 });
const STRANGERS: readonly (readonly [ProfileName, Case])[] = [
  ['untrusted', {}],
  ['untrusted-rfc3325', { mode: 'rfc3325' }],
  ['untrusted-ims24229', { mode: 'ims24229' }],
];

/** What the plan takes out of a field with URIs, and leaves where it finds none: in the address of a web page, in quotes. */
const SEEMS_PRIVATE =
  /(?:;|%3b)\s*(?:cpc|oli|isup-oli|iotl|orig|verstat)\b|[?&]\s*[px]-[^>\r\n]*=|\n[ \t]+[-a-z]+[ \t]*:/i;

function profileNamed(name: ProfileName): Profile {
  const profile = PROFILES.find((each) => each.name === name);
  if (profile === undefined) throw new Error(`no profile ${name}`);
  return profile;
}

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
    'To: <sip:%23123@a.example>',
    'To: <sip:100%@a.example;x=%>',
    'To: <sip:%33%3@a.example>;tag=%3',
    'Subject: how are you? sip:x?y',
    // Text, and not a header field of a URI.
    'To: Who? Me! <sip:a@a.example>',
    'To: <sip:a?b@a.example;user=phone>;tag=1',
    'Contact: sip:a?b@a.example',
    'Call-Info: <http://a.example/photo.jpg?size=1&x=%20>;purpose=icon',
    // Names that have ended, or that begin as others do.
    'Contact: <sip:bob@192.0.2.1:5060;ob>',
    'Route: <sip:192.0.2.1;lr>, <sip:192.0.2.2;lr;orig-x>',
    'Contact: <sip:bob@192.0.2.1;originals>;c;o;cp=1;isup-ol',
    'Contact: <sip:bob@192.0.2.1> ; q = 0.5 ;',
    'Contact: *',
    'Contact: <sip:+49;isub=1;cause=302@192.0.2.1>;+g.x="a;b=c"',
    'Contact: <sip:+49%3bisub%3D1%3Bx@192.0.2.1>',
    'Contact: "who <sip:bob@192.0.2.1;transport=tls>;expires=60',
    'Via: SIP/2.0/UDP 192.0.2.1:5060;rport;branch=z9hG4bK1;received=192.0.2.1',
    // What Refer-To and Referred-By may embed (RFC 3891).
    'Refer-To: <sip:x@a.example;lr?Replaces=1%40c%3Bto-tag%3Da%3Bfrom-tag%3Db%3Bearly-only>;gr=x',
    'r: "X; y" <sip:x@a.example;user=phone?replaces=1@c>',
    'Referred-By: sip:y@a.example?Replaces=1',
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
    'Contact: <sip:bob@192.0.2.1;\x0bcpc=operator>',
    'Contact: <sip:bob@192.0.2.1; \t\xc2\xa0cpc=operator>',
    'From: sip:bob@192.0.2.1; cpc',
    'From: <sip:bob@192.0.2.1;lr ;cpc >;tag=1',
    'From: "x" <sip:bob@192.0.2.1>;tag=1 ;cpc "y',
    'From: "x <sip:bob@192.0.2.1;cpc=operator>;tag=1',
    'To: Who? <sip:a@a.example?P-Asserted-Identity=x>',
    'Call-Info: <http://a.example/?x=1>, <sip:a@a.example?P-Asserted-Identity=x>',
    'Contact: <sip:a@a.example>;+g.3gpp.trf="<sip:a@a.example;iotl=homeA-homeB>"',
    'Accept-Contact: *;+g.x="<sip:a@a.example;orig>"',
    'Refer-To: <sip:x@a.example?Replaces=1&P-Asserted-Identity=y>',
    'Refer-To: <sip:x@a.example?P-Asserted-Identity=y&Replaces=1>',
    'Refer-To: <sip:x@a.example?Replaces=1%3Bcpc%3Dy>',
    'Refer-To: <sip:x@a.example;cpc=y?Replaces=1>',
    'Refer-To: <sip:x@a.example?Replaces=1>;cpc=y',
    'Refer-To: <sip:x@a.example?Replaces=1>, <sip:x@a.example?P-Asserted-Identity=y>',
    'Refer-To: <sip:x@a.example?x=y>',
    // Folded by the script.
    'Contact: <sip:a@a.example;\r\n cpc=operator>',
    'Contact: <sip:a@a.example;\r\n \t cpc>',
    'Contact:\r\n <sip:a@a.example;cpc=operator>',
    'Contact: <sip:a@a.example>,\r\n sip:a@a.example;cpc=operator',
    'Contact: <sip:a@a.example>,\r\n\t<sip:a@a.example?P-Asserted-Identity=y>',
  ];

  it.each(['request', 'response'] as const)('ok/a %s that bears nothing passes; one that does, does not', (kind) => {
    const hook = kind === 'request' ? request : response;
    const head = kind === 'request' ? start : 'SIP/2.0 200 OK';
    const passing = (rows: readonly string[]) => {
      const texts = rows.map((row) => message(head, [row]));
      const passes = posix?.matches(bearsNothing(hook, kind, {}), texts) ?? [];
      return rows.filter((_, i) => passes[i]);
    };
    expect(passing(SAFE)).toEqual(SAFE);
    expect(passing(PRIVATE)).toEqual([]);
    expect(passing(IN_VALUES)).toEqual([]);
  });

  /** What list and plan call clean. */
  const CLEANED = [
    'Call-Info: <http://h.example/p;v=1?size=1&b=2>;purpose=icon',
    'Call-Info: <https://h.example/p?a=1;b=2>',
    'Call-Info: <https://h.example/p?u=%3Bcpc%3Dx&x-date=1>',
    'Call-Info: <ftp://h.example/p?a=1>',
    'Call-Info: <cid:a@b?x=1>',
    'Alert-Info: http://h.example/p.wav?a=1',
    'Contact: <sip:b@b.example>;description="a;call me"',
    'Contact: <sip:b@b.example>;+g.x="a;vendor"',
    'Reply-To: "x" <sip:b@b.example>;note="a;idle"',
    'Referred-By: <sip:r@b.example>;cid="x;c@y"',
    'Contact: <mailto:a@b?subject=x>',
    'Refer-To: <http://b.example/?a=1&b=2;c=3>',
    'To: <sip:a@a.example>;tag=x?y=z',
    'Record-Route: <sip:h.example;lr;oli>',
    'From: <sip:a?b=c@b.example>;tag=1',
    'From: "x?y=z; cpc=1 & P-A=b" <sip:a@b.example>;tag=1',
    'Contact: <sip:b@b.example;x%20y=1>',
    'Refer-To: <sip:b@b.example?Replaces=c%40d;to-tag=1;from-tag=2>',
    'Refer-To: <sip:b@b.example?Replaces=c%3Fx%40d%3Bto-tag%3D1%3Bfrom-tag%3Do>',
    'Refer-To: <sip:b@b.example?Replaces=call%3Bid%40d%3Bto-tag%3D1&Require=replaces>',
    'Accept-Contact: *;description="<PC>";video;+g.3gpp.icsi-ref="urn%3Aurn-7%3A3gpp-service.ims.icsi.mmtel"',
    'Contact: <sip:b@b.example;x=a&b=c>',
    'From: M\xfcller? <sip:a@b.example>;tag=2',
    'From: Wer? \xc4hm & Co <sip:a@b.example>;tag=2',
  ];
  /** A broken field in front of another one, and a separator in front of a name. */
  const BROKEN = [
    'Contact: <sip:a@b.example?x<&P-Asserted-Identity=secret>',
    'Contact: <sip:a@b.example?x>&P-Asserted-Identity=secret>',
    'Contact: <sip:a@b.example?x"&P-Asserted-Identity=secret>',
    'Contact: <sip:a@b.example?x"?P-Asserted-Identity=secret>',
    'Contact: <sip:a@b.example?"P-Asserted-Identity=secret>',
    'Contact: <sip:a@b.example?x;y&P-Asserted-Identity=secret>',
    'From: <sip:a@b.example?x<&Remote-Party-ID=secret>;tag=1',
    'From: <sip:a@b.example?x"&P-Asserted-Identity=secret>;tag=1',
    'Contact: <sip:a@b.example;{cpc=x>',
    'Contact: <sip:a@b.example;,cpc=x>',
    'Contact: <sip:a@b.example;(c)cpc=x>',
    'Contact: <sip:a@b.example;/**/cpc=x>',
    'Contact: <sip:a@b.example;{{ cpc>',
  ];

  it('ok/what list or plan let stay passes where they have cleaned; fail/private values that come in addition do not', () => {
    const texts = (rows: readonly string[]) => rows.map((row) => message(start, [row]));
    const held = [...PRIVATE, ...BROKEN, ...IN_VALUES.filter((row) => !row.includes('?x=y'))];
    const pattern = bearsNothing(request, 'request', { cleaned: true });
    const passing = (rows: readonly string[]) => {
      const passes = posix?.matches(pattern, texts(rows)) ?? [];
      return rows.filter((_, i) => passes[i]);
    };
    expect(passing([...SAFE, ...CLEANED])).toEqual([...SAFE, ...CLEANED]);
    expect(passing(held)).toEqual([]);
    expect(posix?.matches(bearsNothing(request, 'request', {}), texts(BROKEN))).toEqual(BROKEN.map(() => false));
  });

  it('fail/a broken header field of a Request-URI hides no other', () => {
    const texts = ['>', '<', '"', ';'].flatMap((char) =>
      [`INVITE sip:b@c.example?x${char}&P-Asserted-Identity=secret SIP/2.0`].map((head) => message(head, [])),
    );
    for (const known of [{}, { cleaned: true }]) {
      expect(posix?.matches(bearsNothing(request, 'request', known), texts)).toEqual(texts.map(() => false));
    }
  });

  it('ok/what our own side has folded passes, unless a private field seems to begin there', () => {
    const folded = [
      ['Allow: INVITE,\r\n\tACK', true],
      ['Contact: <sip:a@a.example>,\r\n <sip:b@b.example>', true],
      ['Contact: sip:a@a.example,\r\n sip:b@b.example;transport=tls', true],
      ['Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1,\r\n\tSIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bK2', true],
      ['Via: SIP/2.0/UDP 192.0.2.1\r\n  ;branch=z9hG4bK1', true],
      ['Subject: how\r\n are you, M\xfcller?\r\n "Fine": I\r\n \xc3\xa4hnlich', true],
      ['Subject: a\r\n P-Asserted-Identity: <sip:a@a.example>', false],
      ['Subject: a\r\n b\r\n\tp-served-user \t: <sip:a@a.example>', false],
    ] as const;
    const texts = folded.map(([row]) => message(start, [row]));
    expect(posix?.matches(bearsNothing(request, 'request', {}), texts)).toEqual(folded.map(([, passes]) => passes));
  });

  it('ok/what a plan has cleaned may bear what it lets stay or rewrites, and nothing else', () => {
    const judged = [
      'P-Asserted-Identity: <sip:a@a.example>',
      'History-Info: <sip:a@a.example>;index=1',
      'History-Info: <sip:a@a.example?Reason=SIP%3Bcause%3D302&Privacy=none>;index=1, <sip:b@a.example>;index=1.1',
    ];
    const inJudged = [
      'P-Asserted-Identity: <sip:a@a.example;cpc=operator>',
      'History-Info: <sip:a@a.example?P-Asserted-Identity=x>;index=1',
      'History-Info: <sip:a@a.example?Reason=SIP%3Bcpc%3D302>;index=1',
      'History-Info: <sip:a@a.example?Reason=SIP&P-Asserted-Identity=x>;index=1',
    ];
    const others = PRIVATE.filter((row) => !/^(?:p-asserted-identity|history-info|diversion)[ \t]*:/i.test(row));
    for (const name of ['untrusted-rfc3325', 'untrusted-ims24229'] as const) {
      const hook = PROFILES.find((profile) => profile.name === name)!.hooks['request-out'];
      const passes = (rows: readonly string[], planned: boolean) =>
        posix?.matches(
          bearsNothing(hook, 'request', { cleaned: true, planned }),
          rows.map((row) => message(start, [row])),
        );
      expect(passes(judged, true)).toEqual(judged.map(() => true));
      expect(passes(judged, false)).toEqual(judged.map(() => false));
      expect(passes(others, true)).toEqual(others.map(() => false));
      expect(passes(inJudged, true)).toEqual(inJudged.map(() => false));
    }
    expect(request.judged).toEqual([]);
  });

  it('ok/a Request-URI counts', () => {
    const heads = [
      'INVITE sip:a@a.example;orig SIP/2.0',
      'INVITE sip:a@a.example?Subject=x SIP/2.0',
      'ACK sip:a@a.example:5060;transport=tls;ob SIP/2.0',
      start,
    ];
    expect(
      posix?.matches(
        bearsNothing(request, 'request', {}),
        heads.map((head) => message(head, [])),
      ),
    ).toEqual([false, false, true, true]);
  });

  it.each(STRANGERS)('ok/%s: what a plan leaves of random messages passes', (name, spec) => {
    const { hooks } = profileNamed(name);
    const after = SAMPLES.flatMap(([rows, method, ruri, isRequest]) => {
      const message = isRequest ? 'request' : 'response';
      const input = inputOf(rows, { ...spec, direction: 'out', message, method, status: 200, ruri });
      const plan = planMessage(input);
      if (plan.action === 'reject') return [];
      const block = applyPlan(input.block, plan).rows.map(({ raw, end }) => raw + end);
      const head = isRequest ? `${method} ${plan.ruri === '' ? ruri : plan.ruri} SIP/2.0` : 'SIP/2.0 200 OK';
      return [{ isRequest, text: `${head}\r\n${block.join('')}\r\n` }];
    });
    for (const isRequest of [true, false]) {
      const texts = after.filter((each) => each.isRequest === isRequest).map(({ text }) => text);
      const [hook, kind] = isRequest
        ? ([hooks['request-out'], 'request'] as const)
        : ([hooks['response-out'], 'response'] as const);
      const passes = posix?.matches(bearsNothing(hook, kind, { cleaned: true, planned: true }), texts) ?? [];
      expect(texts.filter((text, i) => !passes[i] && !SEEMS_PRIVATE.test(text))).toEqual([]);
      expect(texts.length).toBeGreaterThan(50);
    }
  });
});
