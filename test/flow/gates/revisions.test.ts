/** A policy that changes while the proxy is writing down what it was told by the last one. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshCallId, request } from '../../support/live/caller.js';
import { FakeSidecar, lineOf } from '../../support/live/fake-sidecar.js';
import { builds } from '../../support/live/kamailio.js';
import { Network } from '../../support/live/network.js';
import { eventually } from '../../support/live/places.js';
import { statusOf } from '../../support/live/sip-text.js';

/** So many that the proxy is still writing them down when the poll comes. */
const DOMAINS = Array.from({ length: 7_000 }, (_, index) => `${index}.ex,`).join('');

/** An answer of ours on its way at the change asks about the connection, too. */
const OF_A_REQUEST = /^trust[.]peer direction=in proto=.* tls[.]pem=/;

describe.each(builds('full'))('a change of revision, Kamailio $version', (build) => {
  let network: Network;
  let fake: FakeSidecar;
  let revision = 1_000_000;
  /** The poll that hears of another revision. */
  let changes = Number.POSITIVE_INFINITY;

  beforeAll(async () => {
    network = await Network.start({
      build,
      defines: () => ({
        SIPTRUST_TIMEOUT_MS: '1000',
        SIPTRUST_POLL: { string: 'name=siptrust;mode=1;interval=3000u;' },
      }),
    });
    await network.daemon.stop('SIGKILL');
    fake = await FakeSidecar.start(network.host(1));
    fake.status = () => {
      if (fake.polls >= changes) {
        revision += 1;
        changes = Number.POSITIVE_INFINITY;
      }
      return { result: { revision, stranger: 'untrusted', sockets: [] } };
    };
    await eventually('the proxy asks it', () => network.knownRevision() === revision);
  });
  afterAll(async () => {
    fake?.stop();
    await network?.stop();
  });

  it('fail/a verdict that is written down behind a change of revision does not count any more', async () => {
    const verdict = {
      ...{ verdict: 'trusted', trusted: 1, action: 'continue', profile: 'trusted', agreement: 'op-a', code: 0 },
      ...{ phrase: '', reason: 'ok', id: 'x', ttl: 300, per: 'connection', asserts: ['a.example'] },
    };
    fake.answer = ({ method, line }) => {
      if (!OF_A_REQUEST.test(line)) return { bytes: 'error;-32603' };
      const bytes = lineOf(method, { ...verdict, revision }).replace('a.example,', DOMAINS);
      // Not at once: the proxy compares the revision of this answer first.
      changes = fake.polls + 2;
      return { bytes };
    };
    const partner = await network.overTls(network.certificateOfA());
    const called = async (): Promise<void> => {
      const callId = freshCallId();
      partner.send(request({ callId }));
      expect(statusOf(await partner.final(callId))).toBe(200);
    };
    const peersAsked = () => fake.questions.filter(({ line }) => OF_A_REQUEST.test(line)).length;
    const before = revision;
    await called();
    await eventually('the proxy knows the next revision', () => network.knownRevision() === before + 1);
    const asked = peersAsked();
    await called();
    expect(peersAsked()).toBe(asked + 1);
  });
});
