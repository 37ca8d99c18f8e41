import { describe, expect, test } from 'vitest';
import { waitForNodes } from '../../../../src/ctl/fleet/nodes-wait.js';

const row = (name: string, revision: number) => ({
  ...{ name, revision, wanted: revision, problem: '', alive: true, silent: 0 },
  ...{ instance: 'i', version: '1', script: revision, startedAt: 0, heardAt: 0, withdrawn: [] },
});
type Rows = Parameters<typeof waitForNodes>[0];
const nodes = (...rows: readonly ReturnType<typeof row>[]): Rows => ({ nodes: async () => rows }) as unknown as Rows;

describe('waiting for nodes', () => {
  test('fail/stopped: how they stand, long before the time is over', async () => {
    const stop = new AbortController();
    const seen: string[] = [];
    const states = await waitForNodes(nodes(row('a', 7), row('b', 6)), 7, {
      ...{ seconds: 3600, all: false, signal: stop.signal },
      look: (all) => {
        seen.push(all.map(({ state }) => state).join());
        if (seen.length === 2) stop.abort();
      },
    });
    expect(states.map(({ node, state }) => `${node} ${state}`)).toEqual(['a there', 'b behind']);
    expect(seen).toEqual(['there,behind', 'there,behind']);
  });
  test('ok/all there: at once', async () => {
    expect(await waitForNodes(nodes(row('a', 7)), 7, { seconds: 3600, all: true })).toHaveLength(1);
  });
});
