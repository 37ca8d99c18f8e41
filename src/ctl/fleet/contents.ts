/** What revisions are made of: a policy file, an older revision, the newest one with a partner out or in again. */

import type { Revision } from '../../policy/revision/index.js';
import type { FleetDatabase } from '../../state/fleet/index.js';
import { Refusal } from '../terminal/index.js';
import { existing } from './fleet-store.js';
import { fetchPolicy, policyOf, preparePolicy } from './policy-bundle.js';
import type { Make } from './push.js';

/** A policy file with all files that it names. */
export function ofFile(file: string): Make {
  return (head) => {
    const { content, blobs, warnings, files, agreements } = preparePolicy(file, Date.now());
    const withdrawn = head?.revision.withdrawn ?? [];
    const said = { agreements: agreements.length, files, warnings: [...warnings, ...unnamed(withdrawn, agreements)] };
    return { content: { ...content, withdrawn }, said, blobs };
  };
}

/** An older revision; what is disabled now stays so. */
export function ofRevision(number: number): Make {
  return async (head, database) => {
    const { revision } = await existing(database, number);
    const { main, tree, names, withdrawn } = revision;
    // Nodes would stay where they are, and the operator believe that they went back.
    const files = await fetchPolicy(revision, database);
    const { snapshot } = policyOf({ ...revision, withdrawn: [] }, files, Date.now());
    const all = [...new Set([...withdrawn, ...(head?.revision.withdrawn ?? [])])].sort();
    const agreements = Array.from(snapshot.agreements, ({ name }) => name);
    const said = { content_of: number, warnings: unnamed(all, agreements) };
    return { content: { main, tree, names, withdrawn: all }, said };
  };
}

/**
 * The newest revision without the partner of this name.
 * @param force even if no agreement is named so
 */
export function without(name: string, force: boolean): Make {
  return withdrawing(name, async ({ withdrawn, names, number }, database) => {
    if (withdrawn.includes(name)) throw new Refusal(`${name}: disabled already`, 1);
    // A name that is mistyped would leave the partner trusted, and the operator sure that he is not.
    if (!force && !(await isNamed(database, names, name))) {
      throw new Refusal(
        `no agreement of revision ${number} is named ${JSON.stringify(name)} (--force disables the name all the same)`,
        1,
      );
    }
    return [...withdrawn, name].sort();
  });
}

/**
 * The newest revision with a partner in again who was taken out.
 * @throws {Refusal} by the maker: he was not
 */
export function withAgain(name: string): Make {
  return withdrawing(name, ({ withdrawn }) => {
    if (!withdrawn.includes(name)) throw new Refusal(`${name}: not disabled by the fleet`, 1);
    return withdrawn.filter((each) => each !== name);
  });
}

/** @param next the names that are out in it */
function withdrawing(
  name: string,
  next: (newest: Revision, database: FleetDatabase) => string[] | Promise<string[]>,
): Make {
  return async (head, database) => {
    if (head === undefined) throw new Refusal('the fleet has no policy: nothing was pushed yet', 1);
    const { main, tree, names } = head.revision;
    const withdrawn = await next(head.revision, database);
    return { content: { main, tree, names, withdrawn }, said: { agreement: name } };
  };
}

/** A partner whose agreement has another name now is in again, whoever took him out. */
function unnamed(withdrawn: readonly string[], agreements: readonly string[]): readonly string[] {
  const names = new Set(agreements);
  return withdrawn
    .filter((name) => !names.has(name))
    .map((name) => `disabled: ${name}: no agreement here is named so (if it was renamed, the partner is in again)`);
}

async function isNamed(database: FleetDatabase, names: string, name: string): Promise<boolean> {
  const list = Buffer.from(await database.contents.whole(names)).toString('utf8');
  return list.split('\n').includes(JSON.stringify(name));
}
