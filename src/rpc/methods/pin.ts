import { z } from 'zod';
import type { OperatorLog } from '../../log/index.js';
import type { Pins } from '../../state/pins/index.js';
import { type Pin, StoreError } from '../../state/store/index.js';
import type { Of } from '../../state/trust/index.js';
import { inSlices } from '../../state/work/index.js';
import { instant } from '../../x509/der/index.js';
import { type CallContext, defineMethod, type Method, RpcError } from '../dispatch/index.js';
import { agreementNamed } from './agreement.js';

/** For the agreement of `pin.list`: all of them. No agreement can have this name. */
const ANY = '-';
/** For the pin of `pin.approve` and `pin.drop`: all of the agreement. */
const ALL = 'all';

/** Rows made in one step. */
const STEP_PINS = 500;

const PIN = /^(?:sha256\/)?([A-Za-z0-9+/]{43}=)$/;

const pinSchema = z
  .string()
  .refine((text) => text === ALL || PIN.test(text), `sha256/ and 44 characters of base64, or "${ALL}"`);
const chosen = z.strictObject({ agreement: z.string(), pin: pinSchema });

const STATES = ['observed', 'approved', 'enforced'] as const;
type PinState = (typeof STATES)[number];

/** The keys that were observed, and what operators make of them. */
export function pinMethods(state: Of<'pins' | 'policy'>, log: OperatorLog): Method[] {
  function pins(): Pins {
    if (state.pins !== undefined) return state.pins;
    throw new RpcError('unavailable', 'no pins are kept: daemon.state.file is off');
  }

  function agreement(name: string) {
    return state.policy.snapshot.byName.get(name);
  }

  /** `enforced`: approved, and the agreement asks for it. */
  function stateOf(pin: Pin): PinState {
    if (pin.approvedAt === undefined) return 'observed';
    return agreement(pin.agreement)?.pinned === true ? 'enforced' : 'approved';
  }

  function row(pin: Pin) {
    return {
      agreement: pin.agreement,
      state: stateOf(pin),
      pin: `sha256/${pin.spkiSha256}`,
      subject: pin.subject,
      identities: pin.identities,
      count: pin.count,
      first_seen: instant(pin.firstSeen),
      last_seen: instant(pin.lastSeen),
      approved_at: instant(pin.approvedAt),
      not_after: instant(pin.notAfter),
      certificate: pin.certificateSha256,
    };
  }

  /** Rows of those in the state that is wanted. */
  function* select(list: Generator<undefined, readonly Pin[]>, wanted: PinState | undefined) {
    const rows: ReturnType<typeof row>[] = [];
    for (const [at, pin] of (yield* list).entries()) {
      const found = stateOf(pin);
      // What is enforced is approved too.
      if (wanted === undefined || found === wanted || (wanted === 'approved' && found !== 'observed'))
        rows.push(row(pin));
      if (at % STEP_PINS === STEP_PINS - 1) yield;
    }
    return rows;
  }

  /** The pins that the params name. */
  function choose({ agreement: name, pin: text }: z.output<typeof chosen>): readonly Pin[] {
    const recorded = pins().list(name);
    if (recorded.length === 0) throw new RpcError('not-found', `agreement ${name}: no pin of it is recorded`);
    if (text === ALL) return recorded;
    const spkiSha256 = PIN.exec(text)?.[1];
    const found = recorded.find((pin) => pin.spkiSha256 === spkiSha256);
    if (found !== undefined) return [found];
    const expected = `expected one of the ${recorded.length} pins that pin.list shows`;
    throw new RpcError('not-found', `agreement ${name}: ${expected}, found sha256/${spkiSha256}`);
  }

  async function written(change: Promise<void>): Promise<void> {
    try {
      await change;
    } catch (error) {
      if (error instanceof StoreError) throw new RpcError('unavailable', error.message);
      throw error;
    }
  }

  function told(what: string, changed: readonly Pin[], { wire, peer }: CallContext): void {
    for (const { agreement: name, spkiSha256 } of changed) {
      log.info(`pin ${what}`, { agreement: name, pin: `sha256/${spkiSha256}`, wire, peer });
    }
  }

  return [
    defineMethod({
      name: 'pin.list',
      role: 'viewer',
      doc: 'Pins that were observed or approved, of one agreement or of all ("-"), in one state or in any',
      params: z.strictObject({ agreement: z.string().optional(), state: z.enum(STATES).optional() }),
      positional: ['agreement', 'state'],
      handler: ({ agreement: name, state: wanted }) =>
        inSlices(select(pins().listInSteps(name === ANY || name === '' ? undefined : name), wanted)),
    }),
    defineMethod({
      name: 'pin.approve',
      role: 'operator',
      doc: 'Approves a pin that was observed with an agreement, or "all" of them; kept before it is answered',
      params: chosen,
      positional: ['agreement', 'pin'],
      handler: async (params, context) => {
        agreementNamed(params.agreement, state.policy.snapshot);
        const fresh = choose(params).filter(({ approvedAt }) => approvedAt === undefined);
        await written(pins().approve(fresh));
        told('approved', fresh, context);
        return { revision: state.policy.snapshot.revision, pins: choose(params).map(row) };
      },
    }),
    defineMethod({
      name: 'pin.drop',
      role: 'operator',
      doc: 'Forgets a pin of an agreement, or "all" of them, approved or not; answers what they were',
      params: chosen,
      positional: ['agreement', 'pin'],
      handler: async (params, context) => {
        const dropped = choose(params);
        const rows = dropped.map(row);
        await written(pins().drop(dropped));
        told('dropped', dropped, context);
        return { revision: state.policy.snapshot.revision, pins: rows };
      },
    }),
  ];
}
