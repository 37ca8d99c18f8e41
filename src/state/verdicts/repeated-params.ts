/**
 * Checked params by the raw ones they came from. A proxy asks about a peer in the same words each time, connection id
 * and source port apart, and checking them costs several times what the answer does.
 */

import { LRUCache } from 'lru-cache';

/** What differs between two connections of one peer. */
interface PerConnection {
  readonly conid?: string | undefined;
  readonly src_port?: number | undefined;
}

/** Questions whose raw text is longer are not worth keeping. */
const MAX_KEY = 18 * 1024;

/** What an entry takes up beside its texts. */
const ENTRY_OCTETS = 1000;

/** Values that the schema turns into the same text and number whatever else is in the params. */
const PLAIN_ID = /^[0-9]{1,15}$/;
const PLAIN_PORT = /^(?:[0-9]{1,4}|[1-5][0-9]{4})$/;

/** The parts of raw params; two questions of one key differ in plain ids and ports alone. */
interface Question {
  /** Every other member in full, as it was sent: nothing less tells one question from another. */
  key: string;
  conid: string | undefined;
  port: number | undefined;
}

/** A member as a part of a key: with lengths, so that no two lists of members give one key. */
function member(name: string, value: string): string {
  return `${name.length}:${name}${value.length}:${value}`;
}

/** Text of a scalar that tells strings, numbers and truth values apart; undefined for what is none. */
function scalar(value: unknown): string | undefined {
  if (typeof value === 'string') return `"${value}`;
  return typeof value === 'boolean' || Number.isSafeInteger(value) ? String(value) : undefined;
}

/** Adds the members to the key; false: these params must be checked in full. */
function addMembers(asked: Question, members: object, inTls: boolean): boolean {
  for (const [name, value] of Object.entries(members)) {
    let text = scalar(value);
    if (text === undefined && (inTls || name !== 'tls')) return false;
    if (typeof value === 'string' && value.length > MAX_KEY) return false;
    if (!inTls && name === 'tls' && typeof value === 'object' && value !== null && !Array.isArray(value)) {
      asked.key += '{';
      if (!addMembers(asked, value, true)) return false;
      text = '}';
    } else if (!inTls && name === 'conid') {
      asked.conid = String(value);
      if (!PLAIN_ID.test(asked.conid)) return false;
      text = '';
    } else if (!inTls && name === 'src_port') {
      if (!PLAIN_PORT.test(String(value))) return false;
      asked.port = Number(value);
      text = '';
    }
    if (text === undefined) return false;
    asked.key += member(name, text);
  }
  return asked.key.length <= MAX_KEY;
}

function question(params: unknown): Question | undefined {
  if (typeof params !== 'object' || params === null || Array.isArray(params)) return undefined;
  const asked: Question = { key: '', conid: undefined, port: undefined };
  return addMembers(asked, params, false) ? asked : undefined;
}

/** Remembers params that were found good; never a refusal. */
export class RepeatedParams<Params extends PerConnection> {
  readonly #known: LRUCache<string, Params>;

  constructor({ entries, octets }: { readonly entries: number; readonly octets: number }) {
    this.#known = new LRUCache({
      ...{ max: entries, maxSize: octets },
      // The texts stand in the key and in the params.
      sizeCalculation: (_, key) => ENTRY_OCTETS + 2 * key.length,
    });
  }

  /** What the check of these params gives, by `check` where it is not known. Throws what `check` throws. */
  checked(params: unknown, check: () => Params): Params {
    const asked = question(params);
    if (asked === undefined) return check();
    const { key, conid, port } = asked;
    const known = this.#known.get(key);
    // The rest is shared with the one before, the long text in it too: caches below then need not hash it again.
    if (known !== undefined) return withConnection(known, conid, port);
    const fresh = check();
    this.#known.set(key, fresh);
    return fresh;
  }
}

function withConnection<Params extends PerConnection>(
  params: Params,
  conid: string | undefined,
  port: number | undefined,
): Params {
  return {
    ...params,
    ...(conid === undefined ? {} : { conid }),
    ...(port === undefined ? {} : { src_port: port }),
  };
}
