/** A sidecar that answers wrongly, field by field: an answer with anything wrong in it is none, and nothing is injected. */

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Caller, freshCallId, request } from '../support/live/caller.js';
import { OpensipsNetwork } from '../support/live/opensips-network.js';
import { Party } from '../support/live/party.js';
import type { Identity } from '../support/live/pki.js';
import { expectNowhere, privateRows } from '../support/live/secrets.js';
import { rowsOf, statusOf } from '../support/live/sip-text.js';
import { BUILD, theBuild } from './stage.js';

const forged = (count: number) => [`P-Asserted-Identity: <sip:forged-${count}@a.example>`];
/** What may stand in the place of a field, right in none. */
const WRONG: readonly unknown[] = [
  ...[
    null,
    true,
    [],
    {},
    [1],
    [[]],
    { trusted: 1 },
    -1,
    1.5,
    1e300,
    '',
    '1',
    'x;1',
    '$avp(siptrust_key)',
    '$(ru{s.len})',
    '%s%n',
  ],
  ...[
    'a\r\nX-Injected: forged',
    '\r\nP-Asserted-Identity: <sip:forged@a.example>',
    '"',
    '\\',
    '\0',
    'é',
    '|a.example|',
    '*.',
    'x'.repeat(5000),
  ],
];
const WORD = /^[-a-z0-9]+$/;
const isWhole = (value: unknown) => Number.isInteger(value) && (value as number) >= 0 && (value as number) < 2 ** 31;
/** The values that are right, by field of the answer. */
const RIGHT: Readonly<Record<string, (value: unknown) => boolean>> = {
  trusted: (value) => value === 0 || value === 1,
  revision: isWhole,
  ttl: (value) => isWhole(value) && value !== 0,
  code: isWhole,
  profile: (value) => typeof value === 'string' && WORD.test(value),
  action: (value) => value === 'continue' || value === 'reject' || value === 'close',
  reason: (value) => typeof value === 'string' && WORD.test(value),
  phrase: (value) => typeof value === 'string' && /^[-A-Za-z0-9 ]*$/.test(value),
  agreement: (value) => typeof value === 'string' && /^[-A-Za-z0-9._ ]*$/.test(value),
  per: (value) => value === 'connection' || value === 'address' || value === 'port',
  asserts: (value) =>
    Array.isArray(value) && value.every((each) => typeof each === 'string' && /^[-*A-Za-z0-9._:]+$/.test(each)),
};
const PLAN: typeof RIGHT = {
  action: (value) => value === 'continue' || value === 'reject',
  trusted: RIGHT.trusted!,
  code: isWhole,
  phrase: (value) => typeof value === 'string' && /^[-A-Za-z0-9 .,:]*$/.test(value),
  ruri: (value) => typeof value === 'string' && !/["\\\r\n\0]/.test(value),
  remove: (value) =>
    Array.isArray(value) && value.every((each) => typeof each === 'string' && /^[-A-Za-z0-9]+$/.test(each)),
  append: (value) =>
    Array.isArray(value) && value.every((each) => typeof each === 'string' && each !== '' && !/[\r\n\0]/.test(each)),
};

const spoiled = (right: typeof RIGHT) =>
  Object.entries(right).flatMap(([field, isRight]) =>
    [...WRONG, undefined].filter((value) => !isRight(value)).map((value) => ({ field, value })),
  );

describe.skipIf(BUILD === undefined)('an answer with one field wrong', () => {
  let network: OpensipsNetwork;
  let partner: Identity;
  let stranger: Party;
  let user: Caller;

  beforeAll(async () => {
    network = await OpensipsNetwork.start({ build: theBuild(), patience: 4 });
    partner = network.certificateOfA();
    user = await network.user();
    stranger = await Party.start(
      network.host(12),
      network.pki.certificate({ issuer: network.operatorB, names: ['DNS:stranger.example'] }),
    );
  });
  afterAll(async () => {
    stranger?.stop();
    await network?.stop();
  });

  /** Gives `method` one of these instead at a time, and counts those that were given. */
  function give(method: string, all: readonly { readonly field: string; readonly value: unknown }[]): () => number {
    let given = 0;
    network.relay.tamper = (asked, text) => {
      const next = asked === method ? all[given++ % all.length] : undefined;
      if (next === undefined) return undefined;
      const answer = JSON.parse(text) as { result: object };
      return JSON.stringify({ ...answer, result: { ...answer.result, [next.field]: next.value } });
    };
    return () => given;
  }

  let before = 0;
  beforeEach(() => {
    before = network.uas.got.length;
  });

  /** Which of these was taken for an answer. */
  function taken(all: readonly object[]): readonly unknown[] {
    const marks = network.uas.got
      .slice(before)
      .flatMap((text) => [...text.matchAll(/forged-(\d+)/g)].map(([, mark]) => Number(mark)));
    return marks.map((mark) => all[mark % all.length]);
  }

  async function message(caller: Caller, headers: readonly string[], ruri?: string): Promise<number> {
    const callId = freshCallId();
    caller.send(
      request({
        callId,
        method: 'MESSAGE',
        headers,
        ...(ruri === undefined ? {} : { ruri, transport: 'UDP', from: '<sip:user@own.example>;tag=1' }),
      }),
    );
    return statusOf(await caller.final(callId));
  }

  it('fail/trust.peer', { timeout: 300_000 }, async () => {
    const all = spoiled(RIGHT);
    expect(all.length).toBeGreaterThan(150);
    const given = give('trust.peer', all);
    while (given() < all.length) {
      const caller = await network.tls(partner);
      expect(await message(caller, forged(given()))).toBe(200);
      caller.close();
    }
    network.relay.tamper = () => undefined;
    expect(taken(all)).toEqual([]);
    expect(network.proxy.running).toBe(true);
  });

  it('fail/trust.message, on its way in', { timeout: 300_000 }, async () => {
    const all = spoiled(PLAN);
    expect(all.length).toBeGreaterThan(80);
    const given = give('trust.message', all);
    const outsider = await network.udp();
    while (given() < all.length) {
      // What no list can clean is refused; what one can is cleaned by it.
      expect([200, 503]).toContain(
        await message(outsider, [...forged(given()), 'Refer-To: <sip:x@own.example?P-Asserted-Identity=forged>']),
      );
      expect([200, 503]).toContain(await message(outsider, [...forged(given()), 'Require: histinfo']));
    }
    network.relay.tamper = () => undefined;
    expect(taken(all)).toEqual([]);
  });

  it('fail/trust.message, on its way out', { timeout: 300_000 }, async () => {
    const all = spoiled(PLAN);
    const given = give('trust.message', all);
    while (given() < all.length) {
      const status = await message(
        user,
        [...privateRows('secret'), 'Refer-To: <sip:x@own.example?P-Asserted-Identity=secret>'],
        stranger.uri('udp'),
      );
      expect([200, 503]).toContain(status);
    }
    network.relay.tamper = () => undefined;
    expectNowhere('secret', stranger.got);
    expectNowhere('forged', stranger.got);
  });

  it('ok/a right answer counts, before and after', async () => {
    await network.polled();
    expect(await message(await network.tls(partner), ['P-Asserted-Identity: <sip:kept@a.example>'])).toBe(200);
    expect(network.uas.got.flatMap((text) => rowsOf(text, 'P-Asserted-Identity'))).toContain('<sip:kept@a.example>');
  });
});
