/**
 * A policy file becomes the snapshot that decisions are made from, or a list of all that is wrong with it. Pure: what
 * the disk holds comes in through PolicyFiles, the time as an argument.
 */

import { type AddressPrefix, type Prefixes, PrefixTable } from '../../net/address/index.js';
import type { Agreement, Interface } from '../../trust/agreement/index.js';
import { keysOf } from '../../typed.js';
import type { CertificateFacts } from '../../x509/certificate/index.js';
import {
  AGREEMENT,
  type AgreementContext,
  type CheckedAgreement,
  compileAgreement,
  compileInterface,
  endsAt,
  type KnownAgreements,
  PolicyMemory,
  pathSite,
  type Rests,
} from '../agreement/index.js';
import {
  checkClaims,
  checkInterfaces,
  checkNames,
  checkOtherNames,
  checkPins,
  checkSockets,
  checkSources,
  checkStatus,
  claimsKnownTo,
  type Placed,
  type PlacedAgreement,
} from '../claims/index.js';
import { Material } from '../material/index.js';
import {
  checkShape,
  FILE_LIMITS,
  inWords,
  type PolicyFiles,
  type Problem,
  type Problems,
  type Site,
} from '../reading/index.js';
import { compileDefaults, compileSettings, type DaemonSettings, SECTIONS } from '../settings/index.js';
import { domainNames, domainSite } from '../values/index.js';
import { type Entries, EntryList, isEntries } from '../yaml/index.js';
import type { SnapshotParts } from './parcel.js';
import { mainSection, type PolicySources, readMain, readSources, type Section } from './sources.js';
import { type ListSection, readAgain, WrittenAgreements } from './written-agreements.js';

interface Good {
  readonly ok: true;
  readonly settings: DaemonSettings;
  readonly warnings: readonly Problem[];
}

interface Bad {
  readonly ok: false;
  readonly problems: readonly Problem[];
}

/** A policy without fault, whose snapshot is not put together yet. */
export type CheckedPolicy = (Good & { readonly parts: SnapshotParts }) | Bad;

/** Files that hold all sections but `daemon:`. */
export interface PolicyContent {
  readonly files: PolicyFiles;
  readonly main: string;
}

/** Where these settings say that the policy comes from; undefined: from the file that they stand in. */
export type ContentSource = (settings: DaemonSettings) => PolicyContent | undefined;

/** Reads and checks all of a policy, but for what `memory` holds; what is left to do is `snapshotOf`. */
export function checkPolicy(
  files: PolicyFiles,
  main: string,
  revision: number,
  now: number,
  memory = new PolicyMemory(),
  contentOf: ContentSource = () => undefined,
): CheckedPolicy {
  const problems = memory.problems.begin();
  const mainFile = readMain(files, main, FILE_LIMITS.policy, memory);
  if (!mainFile) return { ok: false, problems: problems.list() };
  const daemon = checkSection(SECTIONS.daemon, mainSection(mainFile, 'daemon'));
  const mainMaterial = new Material(files, now, memory);
  const settings = compileSettings(daemon, mainFile.root.at('daemon'), mainMaterial);
  const { limits } = settings;
  const mainSources = readSources(files, mainFile, limits, memory);

  const content = contentOf(settings);
  const contentMain = content && readMain(content.files, content.main, limits.file, memory);
  if (content !== undefined && contentMain === undefined) return { ok: false, problems: problems.list() };
  const sources = contentMain ? readSources(content.files, contentMain, limits, memory) : mainSources;
  if (content !== undefined) withoutEffect(mainSources, sources);
  const material = content === undefined ? mainMaterial : new Material(content.files, now, memory);
  const [section] = sources.sections('defaults');
  const site = section?.site ?? sources.mainSite('defaults');
  const defaults = compileDefaults(checkSection(SECTIONS.defaults, section), site, material);
  const own = ownDomains(sources);
  const interfaces = compileInterfaces(sources);
  const listed = lists(sources, 'agreements');
  const remember = sources.files > 1 || entriesOf(listed) <= memory.mostEntries;
  const known = remember ? memory : undefined;
  const written = new WrittenAgreements();
  const agreements = compileAgreements(listed, { material, defaults, now, limits }, problems, known ?? written);
  const ownCertificates = certificatesOfOurs(sources, material);

  checkNames(interfaces, 'interface');
  checkSockets(interfaces);
  // Of what is not remembered all agreements are other objects each time.
  if (known === undefined) checkClaims(agreements, own);
  else claimsKnownTo(known).check(agreements, own, (checks) => problems.during(checks).said.length > 0);
  checkOtherNames(agreements, own);
  checkInterfaces(agreements, interfaces, { interfaces: interfaceNames(sources), byAll: !problems.failed });
  checkSources(agreements);
  checkPins(agreements, settings.state.file);
  checkStatus(agreements, settings.revocation.fetch);
  if (own.size === 0) {
    const text = 'no own domain is named: nobody outside can be kept from asserting ours (RFC 3324 §2.2)';
    sources.mainSite('own_domains').report('no-own-domains', text);
  }

  if (problems.failed) return { ok: false, problems: problems.list() };
  const items = known === undefined ? written.list : agreements.map(({ item }) => item);
  const parts: SnapshotParts = {
    revision,
    ownDomains: new Set(own.keys()),
    ownCertificates,
    interfaces: interfaces.map(({ item }) => item),
    agreements: items,
    sources: sourceTables(agreements),
    privacy: defaults.privacy,
    skew: defaults.skew * 1000,
    crlGrace: defaults.crlGrace * 1000,
    ocsp: { maxAge: defaults.ocspMaxAge * 1000, nonceRequired: defaults.ocspNonce === 'required' },
    verdictTtl: defaults.ttl,
  };
  return { ok: true, parts, settings, warnings: problems.list() };
}

/** `daemon:` is that of the node, and all else that of the fleet. */
function withoutEffect(node: PolicySources, fleet: PolicySources): void {
  for (const name of keysOf(SECTIONS)) {
    if (name === 'daemon') continue;
    const text = 'has no effect here: the policy comes from the store (daemon.fleet.policy)';
    for (const { site } of node.sections(name)) site.report('no-effect', text, 'key');
  }
  const text = 'has no effect in a policy of the fleet: each node has its own';
  for (const { site } of fleet.sections('daemon')) site.report('no-effect', text, 'key');
}

function checkSection<S extends Parameters<typeof checkShape>[0]>(schema: S, section: Section | undefined) {
  return section && checkShape(schema, section.value, section.site);
}

function ownDomains(sources: PolicySources): ReadonlyMap<string, Site> {
  const own = new Map<string, Site>();
  for (const { value, site } of sources.sections('own_domains')) {
    const texts = checkShape(SECTIONS.own_domains, value, site) ?? [];
    for (const domain of domainNames(texts, site)) {
      if (!own.has(domain)) own.set(domain, domainSite(texts, domain, site));
    }
  }
  return own;
}

/** A chain in a file counts whole: an intermediate that ends breaks our handshakes just as well. */
function certificatesOfOurs(sources: PolicySources, material: Material): readonly CertificateFacts[] {
  return sources.sections('own_certificates').flatMap(({ value, site }) => {
    const names = checkShape(SECTIONS.own_certificates, value, site) ?? [];
    return material.certificates(names, site, 'own certificate');
  });
}

/** The sections of a name that are lists, one for each file; of another it is said that it is none. */
function lists(sources: PolicySources, name: 'interfaces' | 'agreements'): readonly ListSection[] {
  return sources.sections(name).filter((section): section is ListSection => {
    const isList = isEntries(section.value);
    if (!isList) section.site.report('wrong-type', `expected a list of ${name}, found ${inWords(section.value)}`);
    return isList;
  });
}

function entriesOf(listed: readonly ListSection[]): number {
  return listed.reduce((sum, { value }) => sum + value.length, 0);
}

/** @param kept what remembers them, or where they go if nothing does */
function compileAgreements(
  sections: readonly ListSection[],
  context: AgreementContext & { readonly limits: DaemonSettings['limits'] },
  problems: Problems,
  kept: PolicyMemory | WrittenAgreements,
): readonly PlacedAgreement[] {
  const { material, now, limits } = context;
  const defaults = JSON.stringify(context.defaults);
  const check = (list: Entries, at: number, site: Site): CheckedAgreement | undefined => {
    const { said, value: checked } = problems.during(() =>
      material.during(() => {
        const input = checkShape(AGREEMENT, list.at(at), site);
        return input && { item: compileAgreement(input, site, context), input };
      }),
    );
    if (checked.value === undefined) return undefined;
    const { item, input } = checked.value;
    const rests = restsOn(checked.material, item);
    const again = list instanceof EntryList ? readAgain(list, at) : () => input;
    return { item, terms: item, input: again, site, said, rests };
  };
  const shared = new Map<string, Rests>();
  const restsOn = (material: Rests['material'], item: Agreement): Rests => {
    const ends = endsAt(item, now);
    const key = [item.valid.until, item.migrationUntil, ends, ...material.keys()].join('\n');
    const rests = shared.get(key) ?? { defaults, material, ends };
    shared.set(key, rests);
    return rests;
  };
  /** Whether the check of an agreement would say and make the same again. */
  const standing = new Map<Rests, boolean>();
  const stands = ({ item, rests }: CheckedAgreement): boolean => {
    const known = standing.get(rests);
    if (known !== undefined) return known;
    const same = rests.defaults === defaults && rests.ends === endsAt(item, now) && material.same(rests.material);
    standing.set(rests, same);
    return same;
  };
  const all: PlacedAgreement[] = [];
  let [found, prefixes] = [0, 0];
  for (const section of sections) {
    const { value: list, site } = section;
    found += list.length;
    if (found > limits.agreements) {
      const expected = `expected at most ${limits.agreements} agreements in all files (daemon.limits.agreements)`;
      site.report('too-complex', `${expected}, found ${found} with those here`);
      return all;
    }
    const known = kept instanceof PolicyMemory ? kept.agreements(list, site.file) : undefined;
    for (let at = 0; at < list.length; at++) {
      const before = known?.checks[at] ?? moved(known, list, at, site);
      const stays = before !== undefined && stands(before);
      if (stays) problems.again(before.said);
      const agreement = stays ? before : check(list, at, site.at(at));
      if (known !== undefined) known.checks[at] = agreement;
      if (agreement === undefined) continue;
      prefixes += agreement.item.sources.length;
      if (prefixes > limits.prefixes) {
        const expected = `expected at most ${limits.prefixes} prefixes in all agreements (daemon.limits.prefixes)`;
        const here = pathSite(agreement.item, agreement.site).at('sources');
        here.report('too-complex', `${expected}, found ${prefixes} with those here`);
        return all;
      }
      all.push(kept instanceof WrittenAgreements ? kept.add(agreement.item, section, at) : agreement);
    }
  }
  return all;
}

/** What is known of an entry that says what one of the file before said, at its place of now. */
function moved(
  known: KnownAgreements | undefined,
  list: Entries,
  at: number,
  site: Site,
): CheckedAgreement | undefined {
  if (known === undefined || known.alike.size === 0 || !(list instanceof EntryList)) return undefined;
  const alike = known.alike.get(list.text(at));
  return alike && { ...alike, input: readAgain(list, at), site: site.at(at) };
}

function compileInterfaces(sources: PolicySources): readonly Placed<Interface>[] {
  return lists(sources, 'interfaces').flatMap(({ value: list, site }) =>
    [...list].flatMap((value, at) => {
      const input = checkShape(SECTIONS.interfaces, value, site.at(at));
      const item = input && compileInterface(input, site.at(at));
      return item === undefined ? [] : [{ item, site: site.at(at) }];
    }),
  );
}

/** Names of all interfaces, also of those that have another mistake. */
function interfaceNames(sources: PolicySources): ReadonlySet<string> {
  const names = sources.sections('interfaces').flatMap(({ value }) => (Array.isArray(value) ? value : []));
  return new Set(
    names.flatMap((entry: unknown) => {
      const name = typeof entry === 'object' && entry !== null ? Reflect.get(entry, 'name') : undefined;
      return typeof name === 'string' ? [name] : [];
    }),
  );
}

function sourceTables(agreements: readonly PlacedAgreement[]): ReadonlyMap<string, PrefixTable<number>> {
  const byInterface = new Map<string, (readonly [Prefixes, number])[]>();
  for (const [number, placed] of agreements.entries()) {
    const { interface: name } = placed.terms;
    if (name === undefined) continue;
    const list = byInterface.get(name) ?? [];
    byInterface.set(name, list);
    list.push([placed.item.sources, number]);
  }
  return new Map([...byInterface].map(([name, list]) => [name, PrefixTable.of(prefixesOf(list))] as const));
}

function* prefixesOf(lists: readonly (readonly [Prefixes, number])[]): Generator<readonly [AddressPrefix, number]> {
  for (const [prefixes, number] of lists) for (const prefix of prefixes) yield [prefix, number];
}
