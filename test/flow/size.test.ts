/** Messages that are large (rulebook T-75). What they may cost: test/cost/live/gates.test.ts. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Caller, request } from '../support/live/caller.js';
import { builds } from '../support/live/kamailio.js';
import { Network } from '../support/live/network.js';
import { expectNothingPrivate } from '../support/live/relayed.js';
import { headerOf, statusOf } from '../support/live/sip-text.js';

describe.each(builds('full'))('size, Kamailio $version', (build) => {
  let network: Network;
  let trusted: Caller;
  let stranger: Caller;

  beforeAll(async () => {
    network = await Network.start({ build });
    trusted = await network.overTls(network.certificateOfA());
    stranger = await network.overTls(network.certificateOfA({ names: ['DNS:c.example'] }));
  });
  afterAll(() => network?.stop());

  async function answered(caller: Caller, sent: string): Promise<number> {
    caller.send(sent);
    return statusOf(await caller.final(headerOf(sent, 'Call-ID') ?? ''));
  }

  const many = (count: number, line: string): readonly string[] => Array.from({ length: count }, () => line);

  it.each([
    ['200 header fields', many(200, 'X-Padding: 0123456789')],
    ['200 rows of P-Asserted-Identity', many(200, 'P-Asserted-Identity: <sip:a@a.example>')],
    ['600 values in one row', [`P-Asserted-Identity: ${many(600, '<sip:a@b.c>').join(', ')}`]],
    ['a value of 12 KB', [`P-Asserted-Identity: "${'x'.repeat(12_000)}" <sip:a@a.example>`]],
    ['a value of blanks', [`Subject: ${' \t'.repeat(5_000)}x`, 'P-Asserted-Identity: <sip:a@a.example>']],
    ['many folds', ['Subject: a', ...many(2_000, ' b'), 'P-Asserted-Identity: <sip:a@a.example>']],
    ['many semicolons', [`Subject: ${';'.repeat(10_000)}`, 'P-Asserted-Identity: <sip:a@a.example>']],
    ['many question marks', [`Subject: ${'sip:?'.repeat(2_000)}`, 'P-Asserted-Identity: <sip:a@a.example>']],
  ])('ok/T-75 %s from a stranger: answered, nothing private goes on', async (_what, headers) => {
    const sent = request({ headers: [...headers] });
    const status = await answered(stranger, sent);
    expect([200, 400, 503, 513]).toContain(status);
    const got = network.uas.find(headerOf(sent, 'Call-ID') ?? '', 'INVITE');
    if (status === 200) expect(got).toBeDefined();
    if (got !== undefined) expectNothingPrivate(got);
  });

  it.each([
    ['200 rows', many(200, 'P-Asserted-Identity: <sip:a@b.example>')],
    ['600 values in one row', [`P-Asserted-Identity: ${many(600, '<sip:a@b.c>').join(', ')}`]],
    ['a value of 12 KB', [`P-Asserted-Identity: "${'x'.repeat(12_000)}" <sip:a@b.example>`]],
  ])('ok/T-75 %s of foreign assertions from a partner: none goes on', async (_what, headers) => {
    const sent = request({ headers: [...headers] });
    const status = await answered(trusted, sent);
    expect([200, 400, 513]).toContain(status);
    const got = network.uas.find(headerOf(sent, 'Call-ID') ?? '', 'INVITE');
    if (got !== undefined) expectNothingPrivate(got);
  });

  it('ok/T-75 10,000 values over UDP: the next call is served', async () => {
    const caller = await network.overUdp();
    caller.send(request({ transport: 'UDP', headers: [`P-Asserted-Identity: ${many(10_000, '<sip:a>').join(',')}`] }));
    const next = request({ transport: 'UDP', headers: ['P-Asserted-Identity: <sip:a@a.example>'] });
    expect(await answered(await network.overUdp(), next)).toBe(200);
    expect(network.cscf.running).toBe(true);
    for (const text of network.uas.got) expectNothingPrivate(text);
  });
});
