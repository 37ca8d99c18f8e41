/** A script that shares with the include what Kamailio has once, and sets again after it what it has set. */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Caller, freshCallId, request } from '../../support/live/caller.js';
import { withPartnerB } from '../../support/live/daemon.js';
import { builds } from '../../support/live/kamailio.js';
import { GROUPS, Network } from '../../support/live/network.js';
import { eventually } from '../../support/live/places.js';
import { expectNowhere, privateRows } from '../../support/live/secrets.js';
import { rowsOf, statusOf } from '../../support/live/sip-text.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

describe.each(builds('full'))('a script that contradicts the include, Kamailio $version', (build) => {
  let network: Network;
  let partner: Caller;
  let stranger: Caller;
  let groups: string;
  const ours = `${readFileSync(GROUPS, 'latin1')}[script's own]\n^short$\n`;

  beforeAll(async () => {
    network = await Network.start({
      build,
      script: 'test/support/live/contrary.cfg',
      privateMemory: 16,
      defines: () => ({ SIPTRUST_GROUPS: { string: groups } }),
      // A place to be asked for OPTIONS; nobody is there.
      policy: (standard, host) => withPartnerB(standard, { targets: [`${host(10)}:5061`] }),
      before: async ({ directory }) => {
        mkdirSync(join(directory, 'cscf'), { recursive: true });
        groups = join(directory, 'cscf', 'groups.txt');
        writeFileSync(groups, ours, 'latin1');
      },
    });
    partner = await network.overTls(network.certificateOfA());
    stranger = await network.overTls();
  });
  afterAll(() => network?.stop());

  async function call(caller: Caller, user: string, rows: readonly string[] = []) {
    const callId = freshCallId();
    caller.send(request({ callId, ruri: `sip:${user}@own.example`, headers: rows }));
    return { callId, status: statusOf(await caller.final(callId)) };
  }

  it('ok/groups of its own stand behind ours, whatever it tells the module of case and blanks', async () => {
    expect((await call(stranger, 'short')).status).toBe(484);
    expect((await call(stranger, 'SHORT')).status).toBe(200);
    const { callId, status } = await call(partner, 'bob', ['p-asserted-identity: <sip:alice@a.example>']);
    expect(status).toBe(200);
    expect(rowsOf(await network.uas.received(callId, 'INVITE'), 'P-Asserted-Identity')).toHaveLength(1);
    expect((await call(stranger, 'bob', privateRows('forged'))).status).toBe(200);
    expectNowhere('forged', network.uas.got);
  });

  it('fail/event routes of its own that do not call ours: the gate in works, and the log says what is missing', async () => {
    const callId = freshCallId();
    stranger.send(request({ callId, method: 'ACK', headers: privateRows('forged') }));
    network.uas.options = { extra: privateRows('forged') };
    stranger.send(request({ callId, method: 'MESSAGE', headers: privateRows('forged') }));
    expect(statusOf(await stranger.final(callId))).toBe(200);
    network.uas.options = {};
    expectNowhere('forged', [...network.uas.got, ...stranger.answers]);
    expect(network.cscf.log).toMatch(
      /siptrust: event_route\[core:pre-routing\] of the script does not call route\(SIPTRUST_GATE_IN\)/,
    );
    await eventually('the other line', () =>
      /siptrust: event_route\[tm:local-request\] of the script does not call/.test(network.cscf.log),
    );
  });

  it('fail/other groups in their place: nobody comes in from outside until they are back, and the log says why', async () => {
    // Anything at all is clean to these.
    writeFileSync(groups, '[0]\n.\n'.repeat(60));
    network.cscf.rpc('regex.reload');
    await eventually('the line', () => /siptrust: module regex has other groups/.test(network.cscf.log));
    const unsecured = await network.overUdp();
    for (const caller of [stranger, partner, unsecured])
      expect((await call(caller, 'bob', privateRows('forged'))).status).toBe(503);
    expectNowhere('forged', network.uas.got);
    writeFileSync(groups, ours, 'latin1');
    network.cscf.rpc('regex.reload');
    // The poll does not know it yet.
    expect([200, 503]).toContain((await call(unsecured, 'bob', privateRows('forged'))).status);
    expectNowhere('forged', network.uas.got);
    await eventually('a call', async () => (await call(stranger, 'bob', privateRows('forged'))).status === 200);
    expectNowhere('forged', network.uas.got);
  });

  it('fail/onsend_route_reply=0: the log says that replies do not pass the gate out', async () => {
    expect(network.cscf.log).not.toContain('onsend_route_reply');
    for (let n = 0; n < 60; n++) await call(stranger, 'bob');
    await eventually('the line', () =>
      /siptrust: replies do not pass the gate out: .*onsend_route_reply=0/.test(network.cscf.log),
    );
  });

  it('fail/siptrustd is gone: whoever is outside does not register all the same', async () => {
    await network.daemon.stop();
    const callers = { TLS: partner, TCP: await network.overTcp(), UDP: await network.overUdp() };
    for (const [transport, caller] of Object.entries(callers)) {
      for (const ruri of ['sip:own.example', 'urn:service:sos']) {
        const callId = freshCallId();
        const headers = privateRows('forged');
        caller.send(request({ callId, method: 'REGISTER', ruri, transport, headers }));
        expect(statusOf(await caller.final(callId))).toBeGreaterThan(399);
        expect(network.uas.find(callId, 'REGISTER')).toBeUndefined();
      }
    }
  });
});

describe.each(builds('full'))('a script whose onsend_route stands before the include, Kamailio $version', (build) => {
  it('fail/the log says that nothing passes the gate out', async () => {
    const network = await Network.start({
      build,
      script: (directory) => {
        const file = join(directory, 'before.cfg');
        const sample = readFileSync(join(ROOT, 'kamailio-cfg/cscf.cfg'), 'utf8');
        const before = (include: string) => `onsend_route {\n\treturn;\n}\n${include}`;
        writeFileSync(
          file,
          sample.replace('include_file "../', () => before(`include_file "${ROOT}`)),
        );
        return relative(ROOT, file);
      },
    });
    try {
      const stranger = await network.overTls();
      for (let n = 0; n < 60; n++) {
        const callId = freshCallId();
        stranger.send(request({ callId }));
        await stranger.final(callId);
      }
      await eventually('the line', () =>
        /replies do not pass the gate out: .*onsend_route that ends by return stands before/.test(network.cscf.log),
      );
    } finally {
      await network.stop();
    }
  });
});
