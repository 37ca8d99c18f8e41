import { describe, expect, test } from 'vitest';
import { allThere, waitForNodes } from '../../../../src/ctl/fleet/nodes-wait.js';

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
  test('fail/one that falls silent while it is waited for is missed, and may come back until the time is over; ok/one that was silent before is not', async () => {
    const away = { ...row('a', 6), alive: false, silent: 16 };
    const heard = [[row('a', 6)], [away], [away], [row('a', 7)]];
    const asked = { nodes: async () => heard.shift() ?? [] } as unknown as Rows;
    const seen: string[] = [];
    const look = (all: readonly { readonly state: string }[]) => void seen.push(all.map(({ state }) => state).join());
    const states = await waitForNodes(asked, 7, { seconds: 3600, all: false, look });
    expect(seen).toEqual(['behind', 'lost', 'lost', 'there']);
    expect(allThere(states, false)).toBe(true);
    const lost = await waitForNodes(nodes(away), 7, { seconds: 0, all: false });
    expect([lost.map(({ state }) => state), allThere(lost, false)]).toEqual([['silent'], false]);
    const [first] = states;
    expect(first && allThere([{ ...first, state: 'lost' }], false)).toBe(false);
  });
  test('ok/one that has the revision and then stops is not waited for: it carries no call by the policy of before', async () => {
    const away = { ...row('a', 7), alive: false, silent: 16 };
    const heard = [
      [row('a', 7), row('b', 6)],
      [away, row('b', 7)],
    ];
    const asked = { nodes: async () => heard.shift() ?? [] } as unknown as Rows;
    const states = await waitForNodes(asked, 7, { seconds: 3600, all: false });
    expect([states.map(({ state }) => state), allThere(states, false)]).toEqual([['silent', 'there'], true]);
  });
  test('fail/nobody is there: no node is known, or none was heard of', async () => {
    const none = await waitForNodes(nodes(), 7, { seconds: 3600, all: false });
    expect([none, allThere(none, false), allThere(none, true)]).toEqual([[], false, false]);
  });
  test.each([
    ['fail/ahead of a store that was restored', { revision: 12, wanted: 9, problem: 'it was restored' }, 9, 'refused'],
    ['fail/with another revision of the same number', { revision: 9, wanted: 9, problem: 'another one' }, 9, 'refused'],
    ['ok/that has this one and refuses a later one', { revision: 9, wanted: 10, problem: 'no room' }, 9, 'there'],
    ['ok/ahead as there was a later one', { revision: 10, wanted: 10, problem: '' }, 9, 'there'],
  ])('%s', async (_, over, number, state) => {
    const [found] = await waitForNodes(nodes({ ...row('a', 0), ...over }), number, { seconds: 0, all: false });
    expect(found).toMatchObject({ state, problem: state === 'there' ? '' : over.problem });
  });
  test('ok/all there: at once', async () => {
    expect(await waitForNodes(nodes(row('a', 7)), 7, { seconds: 3600, all: true })).toHaveLength(1);
  });
});
