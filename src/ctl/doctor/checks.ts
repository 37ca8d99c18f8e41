/** What doctor looks for: one row a check. */

import type { Check } from './finding.js';
import { opensipsChecks } from './opensips-checks.js';
import { policyChecks } from './policy-checks.js';
import { proxyChecks } from './proxy-checks.js';
import { scriptChecks } from './script-checks.js';
import type { Site } from './site.js';
import { tlsChecks } from './tls-checks.js';

const kamailioChecks: readonly Check[] = [...proxyChecks, ...scriptChecks, ...tlsChecks];

export const CHECKS: readonly Check[] = [...policyChecks, ...opensipsChecks, ...kamailioChecks];

/** What there is to look at: where an OpenSIPS stands alone, nothing of a Kamailio. */
export function checksOf({ options, kamailio, script, plugin }: Site): readonly Check[] {
  const alone = options.opensips === true && kamailio === undefined && 'missing' in script && 'missing' in plugin;
  return alone ? CHECKS.filter((check) => !kamailioChecks.includes(check)) : CHECKS;
}
