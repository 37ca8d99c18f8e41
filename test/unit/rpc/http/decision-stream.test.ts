import { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { decisionRoute } from '../../../../src/rpc/http/decision-stream.js';
import type { TrustState } from '../../../../src/state/trust/index.js';
import { RecentAnswers } from '../../../../src/state/verdicts/index.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

class Reader extends EventEmitter {
  readonly writableLength = 0;
  ended = false;
  writeHead(): void {}
  write(): void {}
  end(): void {
    this.ended = true;
    this.emit('close');
  }
}

const no = (): never => {
  throw new Error('no memory');
};

test.each<[string, () => boolean | Promise<boolean>, boolean]>([
  ['ok/who still may ask keeps the stream', () => true, false],
  ['fail/a credential that was taken back ends it', () => Promise.resolve(false), true],
  ['fail/a credential that cannot be looked at ends it', async () => no(), true],
  ['fail/so does one that throws', no, true],
])('%s', async (_, still, ended) => {
  const reader = new Reader();
  const state = { answers: { recent: new RecentAnswers() }, policy: { settings: { log: { mask: false } } } };
  const route = decisionRoute(state as unknown as TrustState);
  const request = { url: '/decisions', headers: {} } as IncomingMessage;
  const caller = {} as Parameters<typeof route.handle>[2];
  await route.handle(request, reader as unknown as ServerResponse, caller, () => {}, still);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(reader.ended).toBe(ended);
});
