/** What peers assert: kept, removed or refused, in every spelling (rulebook §10.2, §10.3). */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Caller, inDialog, request } from '../support/live/caller.js';
import { builds } from '../support/live/kamailio.js';
import { Network } from '../support/live/network.js';
import type { Identity } from '../support/live/pki.js';
import { eventually } from '../support/live/places.js';
import { expectNothingPrivate, expectRelayed } from '../support/live/relayed.js';
import { headerBlock, rowsOf, startLine, statusOf } from '../support/live/sip-text.js';

const ALICE = 'P-Asserted-Identity: "Alice" <sip:alice@a.example>';

describe.each(builds('smoke'))('assertions, Kamailio $version', (build) => {
  let network: Network;
  let trusted: Caller;
  let stranger: Caller;
  let identities: readonly [Identity, Identity];

  beforeAll(async () => {
    network = await Network.start({ build });
    identities = [network.certificateOfA(), network.certificateOfA({ names: ['DNS:c.example'] })];
    trusted = await network.overTls(identities[0]);
    stranger = await network.overTls(identities[1]);
  });
  afterAll(() => network?.stop());

  /** Waits until the log says that something the partner sent was judged for this reason. */
  async function decided(reason: string): Promise<void> {
    await network.daemon.decisionsOn(trusted.source, ({ reasons }) => (reasons as string[]).includes(reason));
  }

  async function status(caller: Caller, sent: string): Promise<number> {
    caller.send(sent);
    return statusOf(await caller.final(rowsOf(sent, 'Call-ID')[0] ?? ''));
  }

  async function arrived(sent: string, method = 'INVITE'): Promise<string> {
    return network.uas.received(rowsOf(sent, 'Call-ID')[0] ?? '', method);
  }

  describe('of a trusted peer', () => {
    it.each([
      ['a name and an address', [ALICE]],
      ['an address', ['P-Asserted-Identity: <sip:alice@a.example>']],
      ['a domain in capitals', ['P-Asserted-Identity: <sip:alice@A.Example>']],
      ['a telephone number', ['P-Asserted-Identity: <sip:+4930123456@a.example;user=phone>']],
      ['a SIP and a tel URI', [ALICE, 'P-Asserted-Identity: <tel:+4930123456>']],
      ['both in one row', ['P-Asserted-Identity: <sip:alice@a.example>, <tel:+4930123456>']],
      ['with Privacy', [ALICE, 'Privacy: id']],
    ])('ok/kept, byte for byte: %s', async (_what, headers) => {
      const sent = request({ headers });
      expect(await status(trusted, sent)).toBe(200);
      expectRelayed(await arrived(sent), sent);
    });

    it.each(['sip:bob@own.example;orig', 'sip:bob@own.example;transport=tls;ORIG=1'])(
      'fail/orig, which starts services of our users, goes from %s',
      async (ruri) => {
        const sent = request({ ruri, headers: [ALICE] });
        expect(await status(trusted, sent)).toBe(200);
        const got = await arrived(sent);
        expect(startLine(got)).not.toMatch(/orig/i);
        expect(rowsOf(got, 'P-Asserted-Identity')).toHaveLength(1);
      },
    );

    it('fail/T-12 an identity of another network goes, the call goes on', async () => {
      const sent = request({ headers: ['P-Asserted-Identity: <sip:bob@b.example>', 'Subject: hello'] });
      expect(await status(trusted, sent)).toBe(200);
      expectRelayed(await arrived(sent), sent, ['P-Asserted-Identity']);
      await decided('assert-foreign');
    });

    it('fail/T-12 hidden behind a right one', async () => {
      const sent = request({ headers: [ALICE, 'P-Asserted-Identity: <sip:bob@b.example>'] });
      expect(await status(trusted, sent)).toBe(200);
      expect(await arrived(sent)).not.toContain('bob@b.example');
    });

    it('fail/T-12 hidden in the display name of one', async () => {
      const sent = request({ headers: ['P-Asserted-Identity: "x\\" <sip:alice@a.example>" <sip:bob@b.example>'] });
      expect(await status(trusted, sent)).toBe(200);
      expect(await arrived(sent)).not.toContain('b.example');
    });

    it.each(['Additional-Identity', 'P-Charge-Info'])(
      'fail/%s names nobody of another network, nor of ours',
      async (name) => {
        const rows = ['bob@own.example', 'bob@b.example', 'alice@a.example'].map((user) => `${name}: <sip:${user}>`);
        const sent = request({ headers: [ALICE, ...rows] });
        expect(await status(trusted, sent)).toBe(200);
        expect(rowsOf(await arrived(sent), name)).toEqual(['<sip:alice@a.example>']);
      },
    );

    it('fail/T-13 an identity of our own network is refused', async () => {
      const sent = request({ headers: ['P-Asserted-Identity: <sip:bob@own.example>'] });
      expect(await status(trusted, sent)).toBe(403);
      await decided('assert-own');
    });
  });

  describe('From of a trusted peer', () => {
    it.each([
      'sip:x@a.example;a<sip:boss@own.example>;tag=1',
      'sip:boss@own.example <sip:x@a.example>;tag=1',
      '<sip:x@a.example>;tag=1;<sip:boss@own.example>',
      'sip:x@a.example;x=y@own.example;tag=1',
    ])('fail/S-2 in which another reader finds one of our own domains: %s', async (from) => {
      expect(await status(trusted, request({ from }))).toBe(400);
    });

    it.each([
      'sip:bob;tag=1@own.example',
      '<sip:bob@own.example>;ta%67=1',
      '<sip:bob@own.example>;tag=[1]',
      '<sip:bob@own.example>;tag=1;tag=2',
    ])('fail/S-2 one of our own domains, where another reader finds no tag in To: %s', async (to) => {
      expect(await status(trusted, request({ from: '<sip:boss@own.example>;tag=1', to }))).toBe(403);
    });

    it.each([
      [';tag=1', ';tag=1'],
      ['; Tag = 2', ';tag=2'],
      [';x;tag=3', ';x;tag=3'],
    ])('ok/S-2 with a tag in To that every reader finds, or that is made one: %s', async (tag, made) => {
      const sent = request({ from: '<sip:boss@own.example>;tag=1', to: `<sip:bob@own.example>${tag}` });
      // (Of no call: it comes past the gate, and no further.)
      expect(await status(trusted, sent)).toBe(404);
      const answer = await trusted.final(rowsOf(sent, 'Call-ID')[0] ?? '');
      expect(rowsOf(answer, 'To')).toEqual([`<sip:bob@own.example>${made}`]);
    });
  });

  describe('of an untrusted peer', () => {
    it.each([
      [
        'T-50 any case, space, tab, fold, rows and commas',
        [
          'p-asserted-IDENTITY : "Alice"',
          ' <sip:alice@a.example>',
          'P-ASSERTED-IDENTITY\t:<sip:carol@a.example>',
          'P-Asserted-Identity: <sip:a1@a.example>, <sip:a2@a.example>,',
          '\t<tel:+4930123456>',
        ],
      ],
      ['T-53 Remote-Party-ID', ['Remote-Party-ID: <sip:alice@a.example>;party=calling;privacy=full']],
      ['T-76 beside P-Preferred-Identity', [ALICE, 'P-Preferred-Identity: <sip:alice@a.example>']],
      ['after a name of every token character', ["!%*_+`'~.-9: x", ALICE]],
      ['an empty one', ['P-Asserted-Identity:', 'P-Asserted-Identity: ']],
    ])('fail/%s', async (_what, headers) => {
      const sent = request({ headers: ['Subject: first', ...headers, 'Organization: last'] });
      expect(await status(stranger, sent)).toBe(200);
      const got = await arrived(sent);
      expectNothingPrivate(got);
      const kept = headers.filter((line) => line.startsWith('!'));
      const gone = headers.filter((line) => !kept.includes(line)).map((line) => line);
      expectRelayed(got, sent, gone);
    });

    it.each([
      'Answer-Mode: Auto',
      'Priv-Answer-Mode: Auto',
      'Alert-Info: <http://x.example>;info=alert-autoanswer',
      'Call-Info: <sip:x@c.example>;answer-after=0',
      'Call-Info: answer-after=0',
    ])('fail/no phone answers a stranger by itself; ok/but a partner: %s', async (row) => {
      for (const [caller, headers] of [
        [stranger, []],
        [trusted, [row]],
      ] as const) {
        const sent = request({ headers: ['Subject: first', row, 'Organization: last'] });
        expect(await status(caller, sent)).toBe(200);
        const got = headerBlock(await arrived(sent));
        expect(got.match(/^.*(Auto|alert-autoanswer|answer-after).*$/gm) ?? []).toEqual(headers);
      }
    });

    // Phones, and SMS centres of Kamailio's samples, take it for their network's by its type alone (TS 24.341).
    it.each(['', 'Content-Disposition: render;handling=optional'])(
      'fail/no short message of a stranger reaches a phone of ours; ok/one of a partner does: %s',
      async (row) => {
        const headers = ['Content-Type: application/vnd.3gpp.sms', ...(row === '' ? [] : [row])];
        for (const [caller, code] of [[stranger, 415] as const, [trusted, 200] as const]) {
          const sent = request({ method: 'MESSAGE', headers, body: 'RP-DATA' });
          expect(await status(caller, sent)).toBe(code);
          const got = network.uas.find(rowsOf(sent, 'Call-ID')[0] ?? '', 'MESSAGE');
          expect(got === undefined).toBe(code === 415);
        }
      },
    );

    it('fail/T-72 ACK', async () => {
      const sent = request({ headers: [ALICE] });
      expect(await status(stranger, sent)).toBe(200);
      const { route, ...dialog } = inDialog(await stranger.final(dialogId(sent)));
      stranger.send(request({ ...dialog, method: 'ACK', headers: [...route, ALICE, 'Subject: kept'] }));
      const got = await arrived(sent, 'ACK');
      expectNothingPrivate(got);
      expect(rowsOf(got, 'Subject')).toEqual(['kept']);
    });

    it('fail/in-dialog requests are treated like the first', async () => {
      const sent = request();
      expect(await status(stranger, sent)).toBe(200);
      const { route, ...dialog } = inDialog(await stranger.final(dialogId(sent)));
      stranger.send(request({ ...dialog, method: 'BYE', cseq: 2, headers: [...route, ALICE] }));
      expect(statusOf(await stranger.final(dialogId(sent), 'BYE'))).toBe(200);
      expectNothingPrivate(await arrived(sent, 'BYE'));
    });
  });

  it('fail/T-72 ACK of a trusted peer bears no assertion either', async () => {
    const sent = request({ headers: [ALICE] });
    expect(await status(trusted, sent)).toBe(200);
    const { route, ...dialog } = inDialog(await trusted.final(dialogId(sent)));
    trusted.send(request({ ...dialog, method: 'ACK', headers: [...route, ALICE] }));
    expectNothingPrivate(await arrived(sent, 'ACK'));
  });

  describe('display names that break parsers', () => {
    it.each([
      ['an apostrophe', '"O\'Brien" <sip:alice@a.example>;tag=1'],
      ['escaped quotes and backslashes', '"a\\"b\\\\c" <sip:alice@a.example>;tag=1'],
      ['names of script variables', '"$fU $var(a) $(avp(x)[*])|}" <sip:alice@a.example>;tag=1'],
      ['UTF-8', `"${Buffer.from('Zoë 大停電').toString('latin1')}" <sip:alice@a.example>;tag=1`],
      ['broken UTF-8', '"\xff\xfe\xc3(" <sip:alice@a.example>;tag=1'],
      ['a tab and an escaped bell', '"a\tb\\\x07" <sip:alice@a.example>;tag=1'],
      ['JSON', '"\\"},{\\"direction\\":\\"out" <sip:alice@a.example>;tag=1'],
    ])('ok/%s: neither hangs nor changes anything', async (_what, from) => {
      // The second header makes siptrustd be asked about the message.
      for (const caller of [trusted, stranger]) {
        const sent = request({ from, headers: ['Subject: x', 'P-Asserted-Identity: <sip:eve@b.example>'] });
        expect(await status(caller, sent)).toBe(200);
        expectRelayed(await arrived(sent), sent, ['P-Asserted-Identity']);
      }
    });
  });

  describe('header blocks that readers see differently', () => {
    it.each([
      ['a control byte before the colon', 'P-Asserted-Identity\x0b: <sip:x@a.example>'],
      ['a NUL before the colon', 'P-Asserted-Identity\x00: <sip:x@a.example>'],
      ['a no-break space before the colon', 'P-Asserted-Identity\xa0: <sip:x@a.example>'],
      ['the same in UTF-8', 'P-Asserted-Identity\xc2\xa0: <sip:x@a.example>'],
      ['DEL before the colon', 'P-Asserted-Identity\x7f: <sip:x@a.example>'],
      ['a fold before the colon', 'P-Asserted-Identity\r\n : <sip:x@a.example>'],
      ['a fold inside the name', 'P-Asserted-\r\n Identity: <sip:x@a.example>'],
      ['no colon', 'P-Asserted-Identity <sip:x@a.example>'],
      ['a comma for a colon', 'P-Asserted-Identity, <sip:x@a.example>'],
      ['a bare CR', 'Subject: a\rP-Asserted-Identity: <sip:x@a.example>'],
      ['a bare LF', 'Subject: a\nP-Asserted-Identity: <sip:x@a.example>'],
      ['a bare CR at the start of a line', 'Subject: a\r\n\rP-Asserted-Identity: <sip:x@a.example>'],
      ['a NUL at the start of a line', 'Subject: a\r\n\x00P-Asserted-Identity: <sip:x@a.example>'],
      ['a name of non-ASCII letters', 'P-Asserted-\xc4\xb0dentity: <sip:x@a.example>'],
    ])('fail/%s: 400', async (_what, lines) => {
      for (const identity of identities) {
        const caller = await network.overTls(identity);
        const sent = request({ headers: [lines, 'Subject: after'] });
        caller.send(sent);
        const answer = await caller.final(dialogId(sent));
        expect(startLine(answer)).toBe('SIP/2.0 400 Malformed Header');
        expect(network.uas.find(dialogId(sent), 'INVITE')).toBeUndefined();
      }
    });

    it('fail/a NUL in a value of a stranger: 400', async () => {
      const sent = request({ headers: ['Subject: a\x00', ALICE] });
      expect(await status(await network.overTls(identities[1]), sent)).toBe(400);
    });

    it('fail/an empty line of bare LF: nothing goes on', async () => {
      const caller = await network.overTls(identities[1]);
      const sent = request({ headers: ['Subject: a\n', ALICE] });
      caller.send(sent);
      await eventually('an answer, or the end of the connection', () => caller.closed || caller.answers.length > 0);
      expect(network.uas.find(dialogId(sent), 'INVITE')).toBeUndefined();
    });

    it.each([
      ['a folded value', 'Subject: I know you are there,\r\n pick up', 'Subject: I know you are there, pick up'],
      ['a folded value with a colon', 'Subject: a\r\n b: c', 'Subject: a b: c'],
      ['a fold right after the colon', 'Subject:\r\n  a', 'Subject: a'],
      ['several folds', 'Subject: a\r\n\tb\r\n \t c', 'Subject: a b c'],
      ['a fold that looks like an assertion', `Subject: a\r\n\t${ALICE}`, `Subject: a ${ALICE}`],
      ['a line of blanks before one', `Subject: a\r\n \r\n ${ALICE}`, `Subject: a  ${ALICE}`],
    ])('ok/%s is legal, and arrives in one line, for whoever reads a field in each', async (_what, lines, line) => {
      for (const caller of [trusted, stranger]) {
        const sent = request({ headers: [lines, 'Organization: after'] });
        expect(await status(caller, sent)).toBe(200);
        const got = await arrived(sent);
        expect(headerBlock(got)).toContain(`\r\n${line}\r\nOrganization: after\r\n`);
        expect(rowsOf(got, 'P-Asserted-Identity')).toEqual([]);
      }
    });
  });
});

function dialogId(sent: string): string {
  return rowsOf(sent, 'Call-ID')[0] ?? '';
}
