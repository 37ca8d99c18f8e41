/** The configuration that Debian's package of Kamailio comes with, and what README says to add to it. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Caller, freshCallId, inDialog, type RequestTerms, request } from '../support/live/caller.js';
import { type Build, builds } from '../support/live/kamailio.js';
import { Network } from '../support/live/network.js';
import { expectRelayed } from '../support/live/relayed.js';
import { statusOf } from '../support/live/sip-text.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const ALICE = 'P-Asserted-Identity: <sip:alice@a.example>';

function inserted(text: string, place: RegExp, what: string): string {
  if (text.match(place)?.index === undefined) throw new Error(`Debian's kamailio.cfg has no ${place}`);
  return text.replace(place, (found) => `${found}${what}`);
}

/** Writes kamailio.cfg of the package with the lines of README ("An existing kamailio.cfg turned trusting"). */
function stockScript({ root }: Build, directory: string): string {
  const stock = readFileSync(join(root, 'etc/kamailio/kamailio.cfg'), 'utf8');
  // The tests load these themselves, for their control socket.
  let text = stock.replace(/^loadmodule "(?:ctl|kex)[.]so"\n/gm, '').replace('"/etc/kamailio/tls.cfg"', 'TLS_CONFIG');
  const rows: readonly (readonly [RegExp, string])[] = [
    // Where it stands: TLS as its comments say, and the sockets of this test.
    [/^#!KAMAILIO\n/, '#!define WITH_TLS\nlisten=INSIDE\nlisten=OUTSIDE_TLS\nalias="own.example"\n'],
    // What README adds.
    [
      /^# -+ setting module-specific parameters -+\n/m,
      `include_file "${join(ROOT, 'plugin/kamailio/siptrust.cfg')}"\n`,
    ],
    [/^branch_route\[MANAGE_BRANCH\] \{\n/m, '\troute(SIPTRUST_OUT);\n'],
  ];
  for (const [place, what] of rows) text = inserted(text, place, what);
  const file = join(directory, 'stock.cfg');
  writeFileSync(file, text);
  return relative(ROOT, file);
}

describe.each(builds('smoke'))('the configuration of the package, Kamailio $version', (build) => {
  let network: Network;
  let trusted: Caller;
  let stranger: Caller;

  beforeAll(async () => {
    network = await Network.start({
      build,
      script: (directory) => stockScript(build, directory),
      privateMemory: 16,
    });
    trusted = await network.overTls(network.certificateOfA());
    stranger = await network.overTls(network.certificateOfA({ names: ['DNS:c.example'] }));
    // Bob is registered from our own side.
    const bob = await network.ownUser();
    const callId = freshCallId();
    const contact = `Contact: <sip:bob@${network.uas.host}:${network.uas.port}>;expires=600`;
    const terms = { method: 'REGISTER', ruri: 'sip:own.example', to: '<sip:bob@own.example>', transport: 'UDP' };
    const text = request({ ...terms, from: '<sip:bob@own.example>;tag=1', callId });
    bob.send(text.replace(/^Contact: .*$/m, contact));
    expect(statusOf(await bob.final(callId))).toBe(200);
  });
  afterAll(() => network?.stop());

  async function call(caller: Caller, terms: RequestTerms = {}) {
    const callId = freshCallId();
    const sent = request({ callId, headers: [ALICE, 'Subject: kept'], ...terms });
    caller.send(sent);
    return { sent, callId, answer: await caller.final(callId) };
  }

  /** The Request-URI is where Bob is. */
  const asRelayed = (sent: string) =>
    sent.replace(/^INVITE \S+/, `INVITE sip:bob@${network.uas.host}:${network.uas.port}`);

  it('ok/a partner keeps what it asserts, from its first call on', async () => {
    for (let time = 0; time < 2; time += 1) {
      const { sent, callId, answer } = await call(trusted);
      expect(statusOf(answer), answer).toBe(200);
      expectRelayed(await network.uas.received(callId, 'INVITE'), asRelayed(sent));
    }
  });

  it('fail/a stranger does not', async () => {
    for (let time = 0; time < 2; time += 1) {
      const { sent, callId, answer } = await call(stranger);
      expect(statusOf(answer), answer).toBe(200);
      expectRelayed(await network.uas.received(callId, 'INVITE'), asRelayed(sent), ['P-Asserted-Identity']);
    }
  });

  it('ok/the call goes on and ends', async () => {
    const { callId, answer } = await call(trusted);
    const { route, ...dialog } = inDialog(answer);
    trusted.send(request({ ...dialog, method: 'ACK', headers: route }));
    trusted.send(request({ ...dialog, method: 'BYE', cseq: 2, headers: route }));
    expect(statusOf(await trusted.final(callId, 'BYE'))).toBe(200);
    await network.uas.received(callId, 'ACK');
  });

  it('ok/its own answers come as they came before', async () => {
    expect(statusOf((await call(trusted, { ruri: 'sip:nobody@own.example' })).answer)).toBe(404);
    // The first request on a connection is asked about, and then goes on.
    const fresh = await network.overTls(network.certificateOfA());
    expect(statusOf((await call(fresh, { ruri: 'sip:nobody@own.example' })).answer)).toBe(404);
    const other = await network.overTls(network.certificateOfA());
    expect(statusOf((await call(other, { ruri: 'sip:own.example' })).answer)).toBe(484);
  });
});
