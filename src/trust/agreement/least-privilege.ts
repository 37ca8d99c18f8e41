import type { Agreement, PrivacyMode } from './agreement.js';

/** No agreement may have it in its name. */
const BESIDE = '+';

/** The agreements of the policy that a name stands for: several where it is of what remains of them. */
export function namesWithin(name: string): readonly string[] {
  return name.split(BESIDE);
}

const STRICTEST_FIRST: readonly PrivacyMode[] = ['strict33203', 'ims24229', 'rfc3325'];

/** The stricter of two privacy modes. */
function stricterPrivacy(a: PrivacyMode, b: PrivacyMode): PrivacyMode {
  return STRICTEST_FIRST.find((mode) => mode === a || mode === b) ?? 'strict33203';
}

function commonNumbers(a: Agreement, b: Agreement): 'any' | readonly string[] {
  const left = a.asserts.numbers;
  const right = b.asserts.numbers;
  if (left === 'any') return right;
  if (right === 'any') return left;
  const longer = [
    ...left.filter((x) => right.some((y) => x.startsWith(y))),
    ...right.filter((y) => left.some((x) => y.startsWith(x))),
  ];
  return [...new Set(longer)];
}

/** Domains or hosts that both may assert: a transit peer passes on those of the other one, too (S-4). */
function commonNames(a: Agreement, b: Agreement, kind: 'domains' | 'hosts'): readonly string[] {
  const left = a.asserts[kind] ?? [];
  const right = b.asserts[kind] ?? [];
  if (a.asserts.transit !== b.asserts.transit) return a.asserts.transit ? right : left;
  return left.filter((name) => right.includes(name));
}

/**
 * What remains when the identities of one certificate belong to two agreements: the intersection of both
 * (RFC 5922 §7.4; rulebook I-4, T-44). An override of the header policy stands only where both say the same.
 */
export function leastPrivilege(a: Agreement, b: Agreement): Agreement {
  const headers = new Map(
    [...a.headers].filter(([name, rule]) => {
      const other = b.headers.get(name);
      return other !== undefined && other.in === rule.in && other.out === rule.out;
    }),
  );
  return Object.freeze({
    ...a,
    name: `${a.name}${BESIDE}${b.name}`,
    domains: [...a.domains, ...b.domains],
    interconnect: a.interconnect === b.interconnect ? a.interconnect : 'internet',
    directions: a.directions.filter((direction) => b.directions.includes(direction)),
    valid: { from: Math.max(a.valid.from, b.valid.from), until: Math.min(a.valid.until, b.valid.until) },
    asserts: {
      domains: commonNames(a, b, 'domains'),
      hosts: commonNames(a, b, 'hosts'),
      numbers: commonNumbers(a, b),
      transit: a.asserts.transit && b.asserts.transit,
    },
    privacy: stricterPrivacy(a.privacy, b.privacy),
    headers,
  });
}
