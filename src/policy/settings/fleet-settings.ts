/** What a node has to do with the policy of its fleet (`daemon.fleet:`). */

import { resolvePath, type Site } from '../reading/index.js';
import type { DaemonInput } from './schema.js';

export interface FleetSettings {
  /** Stands in what is signed: a revision of one fleet is none of another. */
  readonly name: string;
  /** Whether the policy comes from the store, and not from the file that this stands in. */
  readonly policy: boolean;
  /** Where the last good revision is kept, for a start while the store is away. */
  readonly directory: string;
}

export const DEFAULT_FLEET: FleetSettings = Object.freeze({
  name: 'siptrust',
  policy: false,
  directory: '/var/lib/siptrust/policy',
});

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** `daemon.fleet`: whether the policy is that of the fleet, and where its copy lies. */
export function compileFleet(input: DaemonInput['fleet'], site: Site): FleetSettings {
  const { name = DEFAULT_FLEET.name, policy = 'off', directory } = input ?? {};
  if (!NAME.test(name)) {
    const expected = 'expected a letter or digit, and at most 63 letters, digits, ".", "_" and "-" after it';
    site.at('name').report('bad-value', `${expected}, found ${JSON.stringify(name)}`);
  }
  const { file } = site;
  return {
    name,
    policy: policy === 'on',
    directory: directory === undefined ? DEFAULT_FLEET.directory : resolvePath(file, directory),
  };
}
