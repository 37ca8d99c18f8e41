import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { RpcError } from '../../../../src/rpc/dispatch/errors.js';
import { JsonText } from '../../../../src/rpc/dispatch/method.js';
import { methodTable } from '../../../../src/rpc/methods/methods.js';
import { Pins } from '../../../../src/state/pins/pins.js';
import { openSqliteStore } from '../../../../src/state/store/sqlite-store.js';
import { type Store, StoreError } from '../../../../src/state/store/store.js';
import { trustState } from '../../../../src/state/trust/trust-state.js';
import { ext, leaf, NOW, root } from '../../../support/certificates.js';
import { question } from '../../../support/evidence.js';
import { agreementWith } from '../../../support/snapshot.js';
import { policyOf } from '../../../support/state.js';

const rootB = root({ subject: 'O=Operator B,CN=B CA' });
const anchors = { client: [rootB.facts], server: [rootB.facts] };
const peer = (dns: string) => leaf(rootB, { subject: `CN=${dns}`, extensions: { altNames: ext.altNames([{ dns }]) } });
const [b, b2, c] = [peer('b.example'), peer('b.example'), peer('c.example')] as const;
const pinOf = ({ facts }: typeof b) => `sha256/${facts.spkiSha256}`;

const directory = mkdtempSync(join(tmpdir(), 'siptrust-pin-'));
// A store that is still open may write meanwhile.
afterAll(() => rm(directory, { recursive: true, force: true, maxRetries: 10 }));

const agreements = [
  agreementWith({ anchors, pinned: true }),
  agreementWith({ name: 'op-c', domains: ['c.example'], anchors }),
];
const logged: unknown[] = [];
const log = {
  ...{ error: () => {}, warn: () => {}, debug: () => {}, setLevel: () => {} },
  ...{ info: (message: string, fields?: object) => void logged.push([message, fields]) },
  ...{ level: () => 'info' as const, close: async () => {} },
};

function daemon(pins: Pins | undefined) {
  const policy = policyOf(agreements);
  const state = trustState({ policy, clock: () => NOW, pins });
  const table = methodTable(state, log, () => state.changes.reload());
  return async (method: string, params: unknown): Promise<Record<string, unknown> & readonly Row[]> => {
    const answer = await table
      .find(({ name }) => name === method)
      ?.call(params, { wire: 'unix', peer: 'test', role: 'operator' });
    return (answer instanceof JsonText ? answer.toJSON() : answer) as Record<string, unknown> & readonly Row[];
  };
}

type Row = Readonly<Record<string, unknown>>;

const evidence = (certificate: typeof b, conid = '7') => question(certificate.pem, { conid });
const message = {
  direction: 'in',
  message: 'request',
  conid: '7',
  headers: 'P-Asserted-Identity: <sip:x@b.example>\r\n',
};

let count = 0;
let store: Store;
let ask: ReturnType<typeof daemon>;
beforeEach(async () => {
  count += 1;
  logged.length = 0;
  store = openSqliteStore(join(directory, `${count}.db`));
  ask = daemon(await Pins.open(store, { most: 10, clock: () => NOW, log }));
});
afterEach(() => store.close());

/** What a method refuses, as the caller sees it. */
async function refusal(method: string, params: unknown): Promise<unknown> {
  try {
    return await ask(method, params);
  } catch (error) {
    if (error instanceof RpcError) return [error.kind, error.data];
    throw error;
  }
}

describe('from an observation to an enforced pin', () => {
  test('ok/a key is observed, approved, enforced, dropped; each takes effect on the next message', async () => {
    const before = await ask('trust.peer', evidence(b));
    expect(before).toMatchObject({ trusted: 0, reason: 'pin-mismatch' });
    expect(before.detail).toContain(`siptrustctl pin approve op-b ${pinOf(b)}`);
    expect(await ask('trust.message', message)).toMatchObject({ trusted: 0, remove: ['P-Asserted-Identity'] });
    const seen = { agreement: 'op-b', pin: pinOf(b), subject: 'CN=b.example', identities: ['b.example'] };
    expect(await ask('pin.list', {})).toEqual([
      expect.objectContaining({ ...seen, state: 'observed', approved_at: '' }),
    ]);

    const approval = await ask('pin.approve', { agreement: 'op-b', pin: pinOf(b) });
    expect(approval.pins).toEqual([expect.objectContaining({ ...seen, state: 'enforced' })]);
    expect(approval.revision).toBeGreaterThan(Number(before.revision));
    expect(logged).toContainEqual(['pin approved', { agreement: 'op-b', pin: pinOf(b), wire: 'unix', peer: 'test' }]);
    expect(await ask('trust.message', message)).toMatchObject({ trusted: 1, remove: [] });
    const after = await ask('trust.peer', evidence(b));
    expect(after).toMatchObject({ trusted: 1, assurance: 'tls-pinned', revision: approval.revision });

    const drop = await ask('pin.drop', { agreement: 'op-b', pin: pinOf(b) });
    expect(drop.pins).toEqual([expect.objectContaining({ ...seen, state: 'enforced' })]);
    expect(drop.revision).toBeGreaterThan(Number(approval.revision));
    expect(await ask('trust.message', message)).toMatchObject({ trusted: 0, reason: 'pin-mismatch' });
  });
  test('ok/an approval is in the store when it is answered', async () => {
    await ask('trust.peer', evidence(b));
    await ask('pin.approve', ['op-b', pinOf(b)]);
    expect((await store.load()).pins).toEqual([expect.objectContaining({ agreement: 'op-b', approvedAt: NOW })]);
  });
  test('ok/where the agreement does not ask for it, an approved key is not enforced', async () => {
    expect(await ask('trust.peer', evidence(c))).toMatchObject({ trusted: 1, assurance: 'tls-certificate' });
    const { pins } = await ask('pin.approve', ['op-c', pinOf(c)]);
    expect(pins).toEqual([expect.objectContaining({ state: 'approved' })]);
    expect(await ask('trust.peer', evidence(c))).toMatchObject({ trusted: 1, assurance: 'tls-pinned' });
  });
  test('ok/all of an agreement, by position as kamctl sends it, with or without sha256/', async () => {
    for (const each of [b, b2, c]) await ask('trust.peer', evidence(each));
    await ask('pin.approve', ['op-b', b.facts.spkiSha256]);
    const { pins } = await ask('pin.approve', ['op-b', 'all']);
    expect(pins).toHaveLength(2);
    expect(await ask('trust.peer', evidence(b2))).toMatchObject({ trusted: 1, assurance: 'tls-pinned' });
    expect((await ask('pin.drop', ['op-b', 'all'])).pins).toHaveLength(2);
    expect((await ask('pin.list', [])).map(({ agreement }) => agreement)).toEqual(['op-c']);
  });
  test('ok/the list by agreement and by state; what is enforced is approved too', async () => {
    for (const each of [b, b2, c]) await ask('trust.peer', evidence(each));
    await ask('pin.approve', ['op-b', pinOf(b)]);
    await ask('pin.approve', ['op-c', pinOf(c)]);
    const listed = async (params: unknown) => (await ask('pin.list', params)).map(({ pin }) => pin).sort();
    expect(await listed({})).toEqual([b, b2, c].map(pinOf).sort());
    expect(await listed(['op-b'])).toEqual([b, b2].map(pinOf).sort());
    expect(await listed(['-', 'approved'])).toEqual([b, c].map(pinOf).sort());
    expect(await listed({ state: 'enforced' })).toEqual([pinOf(b)]);
    expect(await listed(['op-b', 'observed'])).toEqual([pinOf(b2)]);
    expect(await listed(['op-x'])).toEqual([]);
  });
  test('fail/an explanation observes nothing', async () => {
    await ask('trust.explain', evidence(b));
    expect(await ask('pin.list', {})).toEqual([]);
  });
});

describe('what is refused', () => {
  test('fail/an agreement that does not exist', async () => {
    expect(await refusal('pin.approve', ['op-x', pinOf(b)])).toEqual([
      'not-found',
      'no agreement is named "op-x" (did you mean op-b?)',
    ]);
    expect(await refusal('pin.drop', ['op-x', 'all'])).toEqual([
      'not-found',
      'agreement op-x: no pin of it is recorded',
    ]);
  });
  test('fail/a pin that was not observed with this agreement', async () => {
    expect(await refusal('pin.approve', ['op-b', 'all'])).toEqual([
      'not-found',
      'agreement op-b: no pin of it is recorded',
    ]);
    await ask('trust.peer', evidence(b));
    expect(await refusal('pin.approve', ['op-b', pinOf(c)])).toEqual([
      'not-found',
      `agreement op-b: expected one of the 1 pins that pin.list shows, found ${pinOf(c)}`,
    ]);
  });
  test.each(['', 'sha256/', 'b.example', `${b.facts.sha256}`, 'sha1/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='])(
    'fail/no pin: %s',
    async (pin) => {
      expect(await refusal('pin.approve', { agreement: 'op-b', pin })).toEqual([
        'invalid-params',
        [expect.objectContaining({ path: 'pin', expected: 'sha256/ and 44 characters of base64, or "all"' })],
      ]);
    },
  );
  test('fail/a store that fails: nothing was approved', async () => {
    await ask('trust.peer', evidence(b));
    store.save = async () => {
      throw new StoreError('state.db', 'the disk is full');
    };
    expect(await refusal('pin.approve', ['op-b', pinOf(b)])).toEqual(['unavailable', 'state.db: the disk is full']);
    expect(await ask('pin.list', [])).toEqual([expect.objectContaining({ state: 'observed' })]);
    expect(await ask('trust.peer', evidence(b))).toMatchObject({ trusted: 0, reason: 'pin-mismatch' });
  });
  test('fail/a daemon without a state file', async () => {
    ask = daemon(undefined);
    expect(await ask('trust.peer', evidence(c))).toMatchObject({ trusted: 1 });
    for (const [method, params] of Object.entries({
      'pin.list': [],
      'pin.approve': ['op-b', 'all'],
      'pin.drop': ['op-b', 'all'],
    })) {
      expect(await refusal(method, params)).toEqual(['unavailable', 'no pins are kept: daemon.state.file is off']);
    }
  });
});

describe('revisions over restarts', () => {
  test('ok/a run begins above what an earlier one may have told', async () => {
    await store.save({ revision: Math.floor(NOW / 1000) + 500 });
    ask = daemon(await Pins.open(store, { most: 10, clock: () => NOW, log }));
    expect((await ask('trust.peer', evidence(c))).revision).toBe(Math.floor(NOW / 1000) + 501);
  });
});
