import { FIRST } from './001-fleet.js';
import { POLICY_FILES } from './002-policy-files.js';
import type { Migration } from './migration.js';

/** In their order: the one of version N stands at N - 1 (a test holds it). */
export const MIGRATIONS: readonly Migration[] = [FIRST, POLICY_FILES];
