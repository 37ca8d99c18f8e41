/** The params of `hop.resolve` and `hop.list`, and the flat answer that routing scripts read. */

import { z } from 'zod';
import { HOP_TRANSPORTS, type HopTransport, type NextHopTarget } from '../../net/hop/index.js';
import type { HopAbility } from '../../state/hops/index.js';
import { type HopQuestion, questionOfDomain, questionOfUri } from '../../trust/evidence/index.js';
import type { Hop } from '../../trust/hop/index.js';
import { keysOf } from '../../typed.js';
import { domainText, foldByteParams } from './byte-params.js';
import { wholeNumber } from './numbers.js';

/**
 * A list, or its entries with commas between them: routing scripts have no lists. Longer ones than there are names are
 * wrong, and each entry that is looked at costs an explanation.
 */
const listOf = <const T extends string>(names: readonly T[]) =>
  z.preprocess(
    (value) => {
      const most = names.length + 1;
      if (typeof value === 'string') return value.split(',', most).map((name) => name.trim().toLowerCase());
      return Array.isArray(value) ? value.slice(0, most) : value;
    },
    z.array(z.literal(names)).min(1).max(names.length),
  );

const TRANSPORTS = keysOf(HOP_TRANSPORTS);
const DEFAULT_TRANSPORTS: readonly HopTransport[] = ['tls', 'tcp', 'udp'];
const FAMILIES = { ipv4: 'A', ipv6: 'AAAA' } as const;

const abilityShape = {
  transports: listOf(TRANSPORTS).optional(),
  families: listOf(['ipv4', 'ipv6']).optional(),
  wait_ms: wholeNumber(0, 1000).optional(),
};

export const hopParams = z.preprocess(
  (params) => foldByteParams(params),
  z
    .strictObject({ ...abilityShape, uri: z.string().optional(), domain: domainText.optional() })
    .refine(({ uri, domain }) => (uri === undefined) !== (domain === undefined), 'either uri or domain'),
);

export const hopListParams = z.preprocess(
  (params) => foldByteParams(params),
  z.strictObject({ ...abilityShape, limit: wholeNumber(1, 10_000).optional() }),
);

/** Where the request goes, as RFC 3263 asks it: by URI, or by domain alone. */
export function toQuestion({ uri, domain }: z.output<typeof hopParams>): HopQuestion {
  return uri === undefined ? questionOfDomain(domain ?? '') : questionOfUri(uri);
}

/** What the proxy can use; a word of neither leaves all of it. */
export function toAbility({
  transports,
  families,
}: Pick<z.output<typeof hopParams>, 'transports' | 'families'>): HopAbility {
  return {
    transports: transports ?? DEFAULT_TRANSPORTS,
    families: (families ?? (['ipv4', 'ipv6'] as const)).map((family) => FAMILIES[family]),
  };
}

/** `tls:192.0.2.7:5061`, `tls:[2001:db8::7]:5061`. */
function targetText({ transport, address, port }: NextHopTarget): string {
  return `${transport}:${address.includes(':') ? `[${address}]` : address}:${port}`;
}

/** The answer of hop.resolve, flat, for scripts: targets in the order to try. */
export function hopAnswer(hop: Hop) {
  const targets = hop.targets.map(targetText);
  const [target1 = '', target2 = '', target3 = ''] = targets;
  return {
    status: hop.status,
    domain: hop.domain,
    tls: hop.tls,
    require_tls: hop.requireTls ? 1 : 0,
    action: hop.action,
    code: hop.code,
    phrase: hop.phrase,
    agreement: hop.agreement?.name ?? '',
    targets,
    target1,
    target2,
    target3,
    dnssec: hop.authentic ? 1 : 0,
    ttl: hop.ttl,
    reason: hop.findings[0]?.code ?? '',
    reasons: [...new Set(hop.findings.map(({ code }) => code))],
    detail: hop.findings[0]?.detail ?? '',
    revision: hop.revision,
  };
}

/** A row of `hop.list`; `line` is for scripts that cannot walk through objects. */
export function hopRow(hop: Hop) {
  const answer = hopAnswer(hop);
  const { domain, require_tls, targets } = answer;
  return { ...answer, line: `${domain}|${require_tls}|${targets.join(',')}` };
}
