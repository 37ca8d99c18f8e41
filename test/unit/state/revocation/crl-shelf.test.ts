import type { ServerResponse } from 'node:http';
import { expect, test } from 'vitest';
import { DEFAULT_SETTINGS } from '../../../../src/policy/settings/settings.js';
import { JobQueue } from '../../../../src/state/fetch/job-queue.js';
import { CrlShelf } from '../../../../src/state/revocation/crl-shelf.js';
import { crl, DAY } from '../../../support/certificates.js';
import { HttpServer } from '../../../support/http-server.js';
import { eventually } from '../../../support/live/places.js';
import { now, partner, SECOND } from '../../../support/revocation-stage.js';

test('fail/a list that was forgotten while it was being fetched does not come back', async () => {
  const server = await HttpServer.start();
  const b = partner();
  let held: ServerResponse | undefined;
  server.on('/b.crl', (response) => {
    held = response;
  });
  const log = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} };
  let changes = 0;
  const shelf = new CrlShelf({
    settings: { ...DEFAULT_SETTINGS.revocation, ...server.rules, fetch: true },
    queue: new JobQueue(now),
    log,
    random: () => 0.5,
    now,
    times: () => ({ at: now(), skew: 0, grace: 0 }),
    signers: () => [b.ca.facts],
    changed: () => {
      changes += 1;
    },
  });
  const [source] = shelf.follow(b.peer({ crls: [server.url('/b.crl')] }).facts, {}, false);
  const fetched = source?.run(new AbortController().signal);
  await eventually('the list is asked for', () => held !== undefined);
  shelf.forget(now() + SECOND);
  const { der } = crl(b.ca, { thisUpdate: now() - SECOND, nextUpdate: now() + DAY, number: 1 });
  held?.writeHead(200, { 'Content-Type': 'application/pkix-crl' });
  held?.end(der);
  await fetched;
  expect([source?.error, shelf.lists, [...shelf.sources], changes]).toEqual(['', [], [], 0]);
  await server.close();
});
