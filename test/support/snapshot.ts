import { compileAgreement } from '../../src/policy/agreement/agreement.js';
import { PolicyMemory } from '../../src/policy/agreement/memory.js';
import { Material } from '../../src/policy/material/material.js';
import { filesInMemory } from '../../src/policy/reading/files.js';
import { Problems } from '../../src/policy/reading/problem.js';
import { Site } from '../../src/policy/reading/site.js';
import { otherwiseOf } from '../../src/policy/settings/key.js';
import { DEFAULTS_KEYS } from '../../src/policy/settings/keys.js';
import { type Agreement, targetKey } from '../../src/trust/agreement/agreement.js';
import type { Snapshot } from '../../src/trust/agreement/snapshot.js';
import { plainAgreements, plainAuthorities } from './plain-agreements.js';

/** What a policy says without `defaults:`. */
export const POLICY_DEFAULTS = Object.freeze(otherwiseOf(DEFAULTS_KEYS));

/** A policy without agreements. */
export const emptySnapshot: Snapshot = {
  revision: 1,
  ownDomains: new Set(['a.example']),
  ownCertificates: [],
  interfaces: [],
  agreements: plainAgreements(),
  byName: new Map(),
  byDomain: new Map(),
  byWildcard: new Map(),
  byTarget: new Map(),
  byServerName: new Map(),
  authorities: plainAuthorities([]),
  sources: new Map(),
  privacy: 'strict33203',
  skew: 300_000,
  crlGrace: 0,
  ocsp: { maxAge: 86_400_000, nonceRequired: false },
  verdictTtl: 300,
};

/** Nowhere: what is wrong with an agreement of a test is its own matter. */
const site = new Site({ file: '', locate: () => ({ file: '', line: 1, column: 1 }) }, new Problems());

/** Each key as the table reads it where it is missing (policy/agreement/keys.ts). */
const plainAgreement: Agreement = {
  ...compileAgreement({ name: 'op-b', domains: ['b.example'], mechanism: 'tls', revocation: 'off' }, site, {
    material: new Material(filesInMemory({}), 0, new PolicyMemory()),
    defaults: POLICY_DEFAULTS,
    now: 0,
  }),
  asserts: { domains: ['b.example'], numbers: 'any', transit: false },
  sources: [],
};

/** An agreement with op-b on b.example; `over` replaces what a test is about. */
export function agreementWith(over: Partial<Agreement> = {}): Agreement {
  return { ...plainAgreement, ...over };
}

/** A policy with these agreements. */
export function snapshotWith(agreements: readonly Agreement[], over: Partial<Snapshot> = {}): Snapshot {
  const byName = new Map(agreements.map((each) => [each.name, each]));
  const byDomain = new Map(agreements.flatMap((each) => each.domains.map((domain) => [domain, each] as const)));
  const byTarget = new Map(agreements.flatMap((each) => each.targets.map((at) => [targetKey(at), each] as const)));
  const byWildcard = new Map(agreements.flatMap((each) => each.wildcardNames.map((suffix) => [suffix, each] as const)));
  const byServerName = new Map(agreements.flatMap((each) => each.serverNames.map((name) => [name, each] as const)));
  const tables = { byName, byDomain, byWildcard, byTarget, byServerName, authorities: plainAuthorities(agreements) };
  return { ...emptySnapshot, agreements: plainAgreements(...agreements), ...tables, ...over };
}
