/** The revisions and the nodes of a fleet, as its database has them. All that is decided by time is decided by its clock. */

import { contentHash, MOST_REVISION_OCTETS, type Revision, readRevision } from '../../policy/revision/index.js';
import { type SqlRow, text } from '../postgres/index.js';
import { StoreError } from '../store/index.js';
import type { FleetConnection } from './fleet-connection.js';
import { FleetContents } from './fleet-contents.js';

/** Told of each new revision, with its number; and of a name that another node has from now on, with `taken NAME`. */
export const POLICY_CHANGED = 'siptrust_policy';
/** A node that was not heard of for so long does not count as alive. */
export const ALIVE_SECONDS = 15;

/** A revision, and when it was stored, in milliseconds since 1970. */
export interface StoredRevision {
  readonly revision: Revision;
  readonly at: number;
}

/** What a node says of itself. */
export interface NodeReport {
  readonly name: string;
  /** Tells two nodes of one name apart: another one after each start. */
  readonly instance: string;
  readonly version: string;
  readonly startedAt: number;
  /** The revision in force; 0: none. */
  readonly revision: number;
  /** The newest that it knows of. */
  readonly wanted: number;
  /** Why the one is not the other; empty: it is, or will be at once. */
  readonly problem: string;
  /** What routing scripts are told of it. */
  readonly scriptRevision: number;
}

export interface Reported {
  /** The number of the newest revision; 0: none. */
  readonly newest: number;
  /** Whether the report stands under the name of the node; not: another one that is alive has it. */
  readonly taken: boolean;
  /** Whether another one that is alive has had to take a name besides (`twinName`). */
  readonly twin: boolean;
  /** Seconds since the first revision was stored that this node lacks; 0: it lacks none. */
  readonly lag: number;
  /** How many nodes there are, as each reported last. */
  readonly nodes: NodeCounts;
}

/** Nodes by what they do: the policy in force is the newest, an older one, one with a problem; not heard of. */
export type NodeCounts = Readonly<Record<'ok' | 'behind' | 'problem' | 'silent', number>>;

/** Stands between the name of a node and what tells apart others that were given the same. */
const TWIN = '#';
const TWIN_LETTERS = 8;
const TAKEN = 'taken ';

/** What a node is called while another one that is alive has its name. */
export function twinName({ name, instance }: Pick<NodeReport, 'name' | 'instance'>): string {
  return `${name}${TWIN}${instance.slice(0, TWIN_LETTERS)}`;
}

export interface NodeRow extends Omit<NodeReport, 'instance' | 'startedAt'> {
  readonly alive: boolean;
  /** Seconds since the first revision was stored that it lacks; 0: it lacks none. */
  readonly lag: number;
  /** Seconds since it was heard of. */
  readonly silent: number;
  readonly startedAt: number;
}

/** Somebody else was first. */
export class PushConflict extends Error {
  constructor(readonly winner: StoredRevision) {
    super(`revision ${winner.revision.number} is there already`);
    this.name = 'PushConflict';
  }
}

interface RevisionRow extends SqlRow {
  readonly number: number;
  readonly octets: number;
  /** null: it is too long. */
  readonly content: Uint8Array | null;
  readonly at: Date;
}

/** The policy of a fleet in the database: revisions, what their files hold, and what nodes report. */
export class FleetDatabase {
  readonly contents: FleetContents;
  readonly #connection: FleetConnection;

  constructor(connection: FleetConnection) {
    this.contents = new FleetContents(connection);
    this.#connection = connection;
  }

  /** @param told of a new revision, that one may have been missed, or that another one has taken the name of this node */
  onChange(told: () => void, name: string): void {
    this.#connection.listen(POLICY_CHANGED, (payload) => {
      if (payload === undefined || !payload.startsWith(TAKEN) || payload === `${TAKEN}${name}`) told();
    });
  }

  /** The newest revision; undefined: nobody has pushed any. @throws {StoreError} */
  async head(): Promise<StoredRevision | undefined> {
    const rows = await this.#connection.query<RevisionRow>(`${REVISIONS} ORDER BY number DESC LIMIT 1`);
    return rows[0] && this.#revision(rows[0]);
  }

  /** @throws {StoreError} */
  async revision(number: number): Promise<StoredRevision | undefined> {
    const rows = await this.#connection.query<RevisionRow>(`${REVISIONS} WHERE number = $1`, [number]);
    return rows[0] && this.#revision(rows[0]);
  }

  /** The newest first, as many as one revision may be long together. @throws {StoreError} */
  async revisions(limit: number): Promise<readonly StoredRevision[]> {
    const rows = await this.#connection.query<RevisionRow>(
      `SELECT number, octets, at, content FROM (
         SELECT *, sum(octet_length(content)) OVER (ORDER BY number DESC) AS together FROM (${REVISIONS}) AS all_of_them
       ) AS measured WHERE coalesce(together, 0) <= ${MOST_REVISION_OCTETS} ORDER BY number DESC LIMIT $1`,
      [limit],
    );
    return rows.map((row) => this.#revision(row));
  }

  /**
   * The greatest number that was ever given or is in force somewhere: a database that was restored knows the nodes'. A node that
   * says a number far beyond is not believed: after the greatest that can be written nobody could push any more.
   */
  async lastNumber(): Promise<number> {
    const [row] = await this.#connection.query<{ last: string }>(
      `SELECT greatest(newest, (SELECT max(revision) FROM node WHERE revision <= newest + ${MOST_AHEAD})) AS last
       FROM (SELECT coalesce(max(number), 0) AS newest FROM policy_revision) AS known`,
    );
    return Number(row?.last ?? 0);
  }

  /**
   * Makes this the newest revision, and tells the nodes. Its contents are stored already.
   * @throws {PushConflict} the newest one is not the one that this was made on
   * @throws {StoreError}
   */
  async push(revision: Revision): Promise<void> {
    const { number, base, author, comment, signature } = revision;
    const done = await this.#connection.transaction(async (run) => {
      const made = await run(
        `INSERT INTO policy_revision (number, base, content, sha256, author, comment, signature, signed_by)
         SELECT $1::bigint, $2::bigint, $3::bytea, $4::text, $5::text, $6::text, $7::bytea, $8::text
         WHERE coalesce((SELECT max(number) FROM policy_revision), 0) = $2::bigint
         ON CONFLICT DO NOTHING RETURNING number`,
        [
          ...[number, base, Buffer.from(JSON.stringify(revision)), contentHash(revision), author, comment],
          signature === undefined ? null : Buffer.from(signature.value, 'base64'),
          signature?.key ?? null,
        ],
      );
      if (made.length === 0) return false;
      await run('SELECT pg_notify($1, $2)', [POLICY_CHANGED, String(number)]);
      return true;
    });
    if (done) return;
    const winner = await this.head();
    throw winner === undefined
      ? new StoreError(this.#connection.name, `expected revision ${base}, found none: it was restored meanwhile`)
      : new PushConflict(winner);
  }

  /**
   * Says how this node does, unless another one that is alive has its name. What others were called that had it besides, and
   * ended without a word, goes after a day.
   * @param takes whoever has the name: at a start it is mostly this node, before the start. One that is alive hears of it, and
   * reports at once under another: else whoever waits for nodes would not know of it for as long as it is between two reports
   */
  async report(node: NodeReport, takes: boolean): Promise<Reported> {
    const { name, version, revision, wanted, problem, startedAt, instance, scriptRevision } = node;
    const state = problem !== '' ? 'problem' : revision < wanted ? 'behind' : 'ok';
    const [row] = await this.#connection.query<ReportedRow>(
      `WITH now AS (INSERT INTO node (name, version, state, revision, wanted, problem, started_at, seen_at, detail)
                    VALUES ($1, $2, $3, $4, $5, $6, $7, clock_timestamp(), $8)
                    ON CONFLICT (name) DO UPDATE SET version = excluded.version, state = excluded.state,
                      revision = excluded.revision, wanted = excluded.wanted, problem = excluded.problem,
                      started_at = excluded.started_at, seen_at = clock_timestamp(), detail = excluded.detail
                    WHERE $9::boolean OR node.detail->>'instance' = excluded.detail->>'instance'
                      OR ${HEARD} < clock_timestamp() - ${ALIVE_SECONDS} * interval '1 second'
                    RETURNING name),
            told AS (SELECT pg_notify('${POLICY_CHANGED}', '${TAKEN}' || name) FROM node WHERE name = $1 AND $9::boolean
                  AND detail->>'instance' <> $10 AND ${HEARD} > clock_timestamp() - ${ALIVE_SECONDS} * interval '1 second'),
            gone AS (DELETE FROM node WHERE starts_with(name, $1 || '${TWIN}') AND length(name) = length($1) + ${TWIN.length + TWIN_LETTERS}
                  AND ${HEARD} < clock_timestamp() - interval '1 day')
       SELECT (SELECT coalesce(max(number), 0) FROM policy_revision) AS newest, EXISTS (SELECT FROM now) AS taken, (SELECT count(*) FROM told) AS told,
         EXISTS (SELECT FROM node WHERE starts_with(name, $1 || '${TWIN}')
           AND ${HEARD} > clock_timestamp() - ${ALIVE_SECONDS} * interval '1 second') AS twin,
         ${lagBehind('$4::bigint')} AS lag, counted.*
       FROM (SELECT jsonb_object_agg(state, count) AS nodes FROM (SELECT state, count(*)
             FROM (SELECT CASE WHEN ${HEARD} < clock_timestamp() - ${ALIVE_SECONDS} * interval '1 second' THEN 'silent'
                     WHEN problem <> '' THEN 'problem'
                     WHEN wanted > 0 AND revision < (SELECT max(number) FROM policy_revision) THEN 'behind' ELSE 'ok' END AS state
                   FROM node) AS known GROUP BY state) AS states) AS counted`,
      [
        ...[name, version, state, revision, wanted, text(problem.slice(0, MOST_PROBLEM)), new Date(startedAt)],
        ...[JSON.stringify({ instance, script_revision: scriptRevision }), takes, instance],
      ],
    );
    return {
      ...{ newest: Number(row?.newest ?? 0), taken: row?.taken === true, twin: row?.twin === true },
      ...{ lag: row?.lag ?? 0, nodes: { ...NOBODY, ...row?.nodes } },
    };
  }

  /** All nodes that were ever heard of, by name. @throws {StoreError} */
  async nodes(): Promise<readonly NodeRow[]> {
    const rows = await this.#connection.query<NodeRecord>(
      `SELECT left(name, ${MOST_WORD}) AS name, left(version, ${MOST_WORD}) AS version, revision, wanted,
              left(problem, ${MOST_PROBLEM}) AS problem, started_at,
              left(detail->>'script_revision', ${MOST_WORD}) AS script_revision,
              extract(epoch FROM clock_timestamp() - ${HEARD})::float8 AS silent,
              ${lagBehind('coalesce(node.revision, 0)')} AS lag
       FROM node ORDER BY name`,
    );
    return rows.map(({ name, version, revision, wanted, problem, started_at, script_revision, silent, lag }) => ({
      ...{ name, version, problem, silent, lag },
      revision: Number(revision ?? 0),
      wanted: Number(wanted ?? 0),
      scriptRevision: Number(script_revision ?? 0) || 0,
      startedAt: started_at.getTime(),
      alive: silent <= ALIVE_SECONDS,
    }));
  }

  /** A node that is no more. Whether there was one. @throws {StoreError} */
  async forget(name: string): Promise<boolean> {
    return (await this.#connection.query('DELETE FROM node WHERE name = $1 RETURNING name', [name])).length > 0;
  }

  #revision({ number, octets, content, at }: RevisionRow): StoredRevision {
    if (content === null) {
      const expected = `expected at most ${MOST_REVISION_OCTETS} bytes`;
      throw new StoreError(this.#connection.name, `revision ${number}: ${expected}, found ${octets}`);
    }
    let value: unknown;
    try {
      value = JSON.parse(Buffer.from(content).toString('utf8'));
    } catch {
      value = undefined;
    }
    const revision = readRevision(value);
    if ('problem' in revision) {
      const next = 'next: delete that row as the owner of the database';
      throw new StoreError(this.#connection.name, `revision ${number}: ${revision.problem}; ${next}`);
    }
    return { revision, at: at.getTime() };
  }
}

const MOST_PROBLEM = 4_000;
const NOBODY: NodeCounts = Object.freeze({ ok: 0, behind: 0, problem: 0, silent: 0 });
/** Revisions that a restore may have lost, and many more. */
const MOST_AHEAD = 1_000_000;
/** When a node was heard of. A time that is infinite or yet to come is none: somebody wrote it by hand. */
const HEARD = `CASE WHEN isfinite(node.seen_at) AND node.seen_at < clock_timestamp() + ${ALIVE_SECONDS} * interval '1 second'
  THEN node.seen_at ELSE to_timestamp(0) END`;
const REVISIONS = `
  SELECT number, octet_length(content) AS octets, created_at AS at,
    CASE WHEN octet_length(content) <= ${MOST_REVISION_OCTETS} THEN content END AS content
  FROM policy_revision`;
/** Seconds since the first revision was stored that is newer than this one. */
const lagBehind = (revision: string): string =>
  `coalesce(extract(epoch FROM clock_timestamp() - (SELECT min(created_at) FROM policy_revision
     WHERE number > ${revision} AND isfinite(created_at))), 0)::float8`;
/** Of what a node says of itself, where the database lets it say what it likes. */
const MOST_WORD = 256;

interface ReportedRow extends SqlRow {
  readonly newest: string;
  readonly taken: boolean;
  readonly twin: boolean;
  readonly lag: number;
  /** null: there was none before. */
  readonly nodes: Partial<NodeCounts> | null;
}

interface NodeRecord extends SqlRow {
  readonly name: string;
  readonly version: string;
  readonly revision: string | null;
  readonly wanted: string | null;
  readonly problem: string;
  readonly started_at: Date;
  readonly script_revision: string | null;
  readonly silent: number;
  readonly lag: number;
}
