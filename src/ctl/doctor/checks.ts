/** What doctor looks for: one row a check. */

import type { Finding } from './finding.js';
import { policyChecks } from './policy-checks.js';
import { proxyChecks } from './proxy-checks.js';
import type { Site } from './site.js';
import { tlsChecks } from './tls-checks.js';

export interface Check {
  readonly name: string;
  /** What is right, in one line. */
  readonly asks: string;
  readonly look: (site: Site) => readonly Finding[];
}

export const CHECKS: readonly Check[] = [...policyChecks, ...proxyChecks, ...tlsChecks];
