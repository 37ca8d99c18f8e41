/** What the page shows of a fleet, in a real Chromium on two siptrustd with a database of their own. */

import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { FleetStage } from '../support/fleet.js';
import { Daemon } from '../support/live/daemon.js';
import { eventually, loopbackBlock } from '../support/live/places.js';
import { postgresPrograms } from '../support/postgres-cluster.js';
import { CA_PEM } from '../unit/policy/fixtures.js';
import { browserIsThere, CHROMIUM, FLAGS } from './chromium.js';

/** The page asks every few seconds, on a machine that is busy. */
const SOON = { timeout: 20_000 };

const database = postgresPrograms() !== undefined;
if (!database) process.stdout.write('the page of a fleet is not tested: no PostgreSQL (make packages)\n');

describe.skipIf(!database || !browserIsThere())('a fleet at /ui', () => {
  const host = loopbackBlock();
  const daemons: Daemon[] = [];
  const errors: string[] = [];
  let stage: FleetStage;
  let browser: Browser;
  let token: string;
  let page: Page;

  beforeAll(async () => {
    stage = await FleetStage.start();
    // Without a revision no node is ready.
    await push('first', 'the first');
    for (const [at, node] of ['border-1a', 'border-1b'].entries()) {
      const directory = stage.file(node, 'x').replace(/\/x$/, '');
      const daemon = new Daemon(host(at + 1), directory);
      daemon.write({
        daemon: {
          ...{ node, store: stage.cluster.url(), store_password_file: stage.cluster.passwordFile, store_timeout: 5000 },
          ...{ state: { file: 'state.db' }, access: { tokens: 'tokens.json' } },
          fleet: { policy: 'on', directory: 'kept' },
        },
      });
      await daemon.start();
      daemons.push(daemon);
    }
    token = String((await daemons[0]?.call('token.add', { name: 'night', role: 'viewer' }))?.token);
    browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS, headless: true });
  });
  afterAll(async () => {
    await browser?.close();
    for (const daemon of daemons) await daemon.stop();
    await stage?.stop();
  });
  beforeEach(async () => {
    page = await browser.newPage();
    page.setDefaultTimeout(20_000);
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) errors.push(message.text());
    });
    page.on('pageerror', (error) => errors.push(String(error)));
    await page.goto(`http://${host(1)}:7061/ui`);
    await page.getByLabel('Token of a viewer or an operator').fill(token);
    await page.keyboard.press('Enter');
    await page.getByRole('navigation').waitFor();
  });
  afterEach(async () => {
    await page.close();
    expect(errors.splice(0)).toEqual([]);
  });

  const view = (name: string) => page.getByRole('link', { name, exact: true }).click();
  /** The columns of the table with this name, by the first one. */
  async function rows(table: string): Promise<Readonly<Record<string, readonly string[]>>> {
    const all = await page.getByRole('table', { name: table }).locator('tbody tr').all();
    const texts = await Promise.all(all.map((row) => row.locator('th, td').allTextContents()));
    return Object.fromEntries(texts.map(([name = '', ...rest]) => [name, rest]));
  }
  /** State, revision and lag of each node. */
  const nodes = async () => {
    const all = Object.entries(await rows('Nodes'));
    return Object.fromEntries(all.map(([name, columns]) => [name, columns.slice(0, 3)]));
  };
  const both = (revision: number) => {
    const there = ['✓ ok', String(revision), ''];
    return { 'border-1a': there, 'border-1b': there };
  };
  const push = (name: string, comment: string, changes: object = {}) => {
    const agreement = { name: 'op-b', domains: ['b.example'], mechanism: 'tls', anchors: ['b.pem'], ...changes };
    const policy = stage.policy(name, { own_domains: ['a.example'], agreements: [agreement] }, { 'b.pem': CA_PEM });
    return stage.done('policy', 'push', policy, '-m', comment, '--author', 'anna');
  };

  test('ok/each node: revision in force, lag, last contact; the database', async () => {
    await view('Fleet');
    await expect.poll(nodes, SOON).toEqual(both(1));
    await page.getByText('Revision 1 is in force on this node (border-1a); the newest is 1.').waitFor();
    await page.getByText(`The database at 127.0.0.1:${stage.cluster.port} answers since`).waitFor();
    for (const [, , , contact] of Object.values(await rows('Nodes'))) {
      expect(Number(/^([\d.]+) s ago$/.exec(contact ?? '')?.[1])).toBeLessThan(15);
    }
  });

  test('ok/a push changes the revision in the view, on each node, and the list of revisions', async () => {
    await view('Fleet');
    await page.getByText('the newest is 1.').waitFor();
    await push('second', 'as <b>agreed</b>', { privacy: 'rfc3325' });
    await page.getByText('Revision 2 is in force on this node (border-1a); the newest is 2.').waitFor();
    await expect.poll(nodes, SOON).toEqual(both(2));
    await view('Policy');
    const table = 'Revisions of the fleet';
    await expect.poll(async () => Object.keys(await rows(table)).sort(), SOON).toEqual(['1', '2']);
    await stage.done('agreement', 'disable', 'op-b', '--fleet', '--wait', '0', '--author', 'bert', '-m', 'stolen key');
    await expect.poll(async () => (await rows(table))['3']?.at(-1), SOON).toBe('border-1a, border-1b');
    const [when = '', ...newest] = (await rows(table))['3'] ?? [];
    expect(Math.abs(Date.parse(when.replace(' ', 'T')) - Date.now())).toBeLessThan(600_000);
    expect(newest).toEqual(['bert', 'stolen key', 'op-b', '', 'border-1a, border-1b']);
    expect((await rows(table))['2']?.slice(1)).toEqual(['anna', 'as <b>agreed</b>', '', '', '']);
    expect((await rows(table))['1']?.slice(1)).toEqual(['anna', 'the first', '', '', '']);
    await view('Fleet');
    await page.getByText('Disabled on all nodes: op-b').waitFor();
  });

  test('fail/a node that hangs stays behind, with its lag, and is silent in the end; it comes back', async () => {
    const [, second] = daemons;
    await view('Fleet');
    second?.signal('SIGSTOP');
    try {
      const { revision } = await stage.done('agreement', 'enable', 'op-b', '--fleet');
      await expect.poll(async () => (await nodes())['border-1a'], SOON).toEqual(['✓ ok', String(revision), '']);
      await expect
        .poll(async () => (await nodes())['border-1b'], { timeout: 30_000 })
        .toEqual(['✗ silent', '3', expect.stringMatching(/^1[0-9.]+ s$|^[2-9][0-9.]+ s$/)]);
      await view('Policy');
      await expect.poll(async () => (await rows('Revisions of the fleet'))['3']?.at(-1), SOON).toBe('border-1b');
    } finally {
      second?.signal('SIGCONT');
    }
    await expect
      .poll(async () => (await rows('Revisions of the fleet'))['4']?.at(-1), SOON)
      .toBe('border-1a, border-1b');
  });

  test('ok/a database that stops is shown, on both views, and that it is back', async () => {
    await view('Fleet');
    await page.getByRole('table', { name: 'Nodes' }).waitFor();
    await stage.cluster.kill();
    await page.getByText('The database is away since').waitFor();
    await page.getByText('The other nodes are not known while it is away.').waitFor();
    expect(await page.getByRole('table', { name: 'Nodes' }).count()).toBe(0);
    await page.getByText('Revision 4 is in force on this node').waitFor();
    await view('Policy');
    await page.getByRole('alert').filter({ hasText: 'it is away since' }).waitFor();
    await stage.cluster.restart();
    await eventually('it is back', async () => (await daemons[0]?.call('fleet.list'))?.store === 'up');
    await expect.poll(() => page.getByRole('alert').count(), SOON).toBe(0);
    await view('Fleet');
    await expect.poll(nodes, SOON).toEqual(both(4));
  });
});
