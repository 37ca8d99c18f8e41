/**
 * The shape of the policy file: which keys there are and what type each has. What a value means (a domain, a date, a
 * certificate) is checked where it is compiled. `describe` holds the words for "expected ...".
 */

import { z } from 'zod';
import { AGREEMENT, INTERFACE } from '../agreement/index.js';
import { someWords, tellHomes, word, words } from '../reading/index.js';
import { schemaOf } from './key.js';
import { DAEMON_KEYS, DEFAULTS_KEYS } from './keys.js';

/** The sections of a policy file. Lists of interfaces and agreements are checked entry by entry. */
export const SECTIONS = {
  include: z.union([word('a path or glob'), someWords('a path or glob')]).describe('a path or glob, or a list of them'),
  own_domains: words('a domain name'),
  own_certificates: words('the path of a certificate file'),
  interfaces: INTERFACE,
  defaults: schemaOf(DEFAULTS_KEYS),
  agreements: AGREEMENT,
  daemon: schemaOf(DAEMON_KEYS),
} as const;
/** Where keys belong that stand somewhere else. */
export const KEY_HOMES = tellHomes(SECTIONS);

export type SectionName = keyof typeof SECTIONS;
export type DaemonInput = z.infer<(typeof SECTIONS)['daemon']>;
export type DefaultsInput = z.infer<(typeof SECTIONS)['defaults']>;
