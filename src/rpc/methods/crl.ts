import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import type { RevocationRow } from '../../state/revocation/index.js';
import type { Of } from '../../state/trust/index.js';
import { instant } from '../../x509/der/index.js';
import { defineMethod, type Method, RpcError } from '../dispatch/index.js';

/** An answer comes before a client gives up; what is not done by then goes on. */
const LONGEST_WAIT_MS = 4_000;

/** Empty too for the time 0, at which what was never looked at is due. */
const time = (ms: number | undefined): string => instant(ms || undefined);

/** All rows have the same columns, whatever they are about. */
function shown({ kind, source, issuer, certificate, entries, state, error, ...times }: RevocationRow) {
  return {
    kind,
    source,
    issuer,
    certificate,
    this_update: time(times.thisUpdate),
    next_update: time(times.nextUpdate),
    entries: entries ?? '',
    state,
    checked: time(times.checkedAt),
    next_check: time(times.nextAt),
    error,
  };
}

/** Revocation lists and statuses: what is at hand, and asking again. */
export function crlMethods(state: Of<'revocation'>): Method[] {
  return [
    defineMethod({
      name: 'crl.list',
      role: 'viewer',
      doc: 'CRLs and OCSP statuses at hand: source, issuer, times, entries, state, last error',
      params: z.strictObject({}),
      handler: async () => (await state.revocation.rows()).map(shown),
    }),
    defineMethod({
      name: 'crl.refresh',
      role: 'operator',
      doc: 'Asks again for all CRLs and statuses that are fetched, or for those of one URL; answers their rows',
      params: z.strictObject({ url: z.string().min(1).optional() }),
      positional: ['url'],
      handler: async ({ url }) => {
        const { revocation } = state;
        const mine = async (): Promise<readonly RevocationRow[]> =>
          (await revocation.rows()).filter(
            (row) => row.nextAt !== undefined && (url === undefined || row.source === url),
          );
        if (url !== undefined && (await mine()).length === 0)
          throw new RpcError('not-found', `nothing is fetched from ${url}`);
        const patience = new AbortController();
        await Promise.race([
          revocation.refresh(url),
          pause(LONGEST_WAIT_MS, undefined, { signal: patience.signal, ref: false }),
        ]);
        patience.abort();
        return (await mine()).map(shown);
      },
    }),
  ];
}
