/** What agreements and interfaces claim against each other: names, domains, sockets. */

import {
  type Agreement,
  type Interface,
  type StaticTarget,
  type Terms,
  targetKey,
} from '../../trust/agreement/index.js';
import { certificateName } from '../../x509/certificate/index.js';
import { listed } from '../../x509/path/index.js';
import { type AgreementInput, pathSite } from '../agreement/index.js';
import { formatPlace, type Site } from '../reading/index.js';
import { domainSite, targetSite } from '../values/index.js';

/** A compiled part with the place it came from. */
export interface Placed<T> {
  readonly item: T;
  readonly site: Site;
}

export interface PlacedAgreement extends Placed<Agreement> {
  /** Of the agreement, which may have to be made of octets: who looks at each agreement asks for no more of it than this. */
  readonly terms: Terms;
  /** What its entry in the file says; it may have to be read again. */
  readonly input: () => AgreementInput;
}

/** Names that tell things apart have to differ, also for people who do not look at the case. */
export function checkNames(parts: readonly Placed<{ readonly name: string }>[], kind: string): void {
  const check = nameCheck(kind);
  for (const part of parts) check(part, part.item);
}

/** Looks at one part after the other; an agreement is made of octets once, whatever is looked at. */
type Check<P, T> = (placed: P, item: T) => void;

function nameCheck(kind: string): Check<Placed<unknown>, { readonly name: string }> {
  const first = new Map<string, Placed<unknown>>();
  return (placed, { name }) => {
    const key = name.toLowerCase();
    const other = first.get(key);
    if (other === undefined) first.set(key, placed);
    else {
      const there = formatPlace(other.site.at('name').place());
      const text = `expected a name of its own, found that of the ${kind} at ${there}`;
      placed.site.at('name').report('duplicate-name', text);
    }
  };
}

/** Who asks for approved pins needs a place where approvals are kept, or pins to begin with. */
export function checkPins(agreements: readonly PlacedAgreement[], stateFile: string | undefined): void {
  for (const placed of stateFile === undefined ? agreements : []) {
    if (placed.terms.mechanism !== 'tls' || !placed.terms.pinned) continue;
    const { input, site } = placed;
    if ((input().pins ?? []).length > 0) continue;
    const text = 'pinned: true trusts nobody: expected pins, or daemon.state.file that keeps the approved ones';
    site.at('pinned').report('no-pins', text);
  }
}

/** A status that nothing can ever tell leaves every peer untrusted. */
export function checkStatus(agreements: readonly PlacedAgreement[], fetch: boolean): void {
  for (const placed of fetch ? [] : agreements) {
    const { enabled, mechanism, revocation } = placed.terms;
    if (!enabled || mechanism !== 'tls' || revocation !== 'hard') continue;
    const { input, item, site } = placed;
    const fetched = 'or daemon.revocation with fetch: on';
    const unlisted = withoutList(item);
    if (item.crls.length === 0) {
      // What is wrong with a file is told there.
      if ((input().crls ?? []).length > 0) continue;
      const text = `revocation: hard trusts nobody here: expected crls, ${fetched}, found neither`;
      site.at('revocation').report('no-status', text);
    } else if (unlisted.length > 0) {
      const names = listed(unlisted);
      const text = `revocation: hard trusts nobody under ${names}: expected a CRL of each such CA in crls, ${fetched}, found neither`;
      site.at('revocation').report('no-status', text);
    }
  }
}

/** The CAs of an agreement for which no list at hand can speak. */
function withoutList({ anchors, intermediates, crls }: Agreement): readonly string[] {
  // An indirect list speaks for whom its entries name.
  if (crls.some(({ issuingDistributionPoint }) => issuingDistributionPoint?.indirectCrl === true)) return [];
  const issuers = new Set(crls.map(({ issuerKeys }) => issuerKeys.text));
  const authorities = [...anchors.client, ...anchors.server, ...intermediates];
  const names = authorities.filter(({ subjectKeys }) => !issuers.has(subjectKeys.text)).map(certificateName);
  return [...new Set(names)];
}

/** Says all that is wrong between these agreements. */
export function checkClaims(agreements: readonly PlacedAgreement[], own: ReadonlyMap<string, Site>): void {
  const domains = new Map<string, PlacedAgreement>();
  const checks = [nameCheck('agreement'), domainCheck(domains, own), targetCheck()];
  for (const placed of agreements) {
    const { item } = placed;
    for (const check of checks) check(placed, item);
  }
  for (const placed of agreements) checkLent(placed, domains);
}

/** A domain belongs to one agreement at most, and ours belong to us (rulebook S-2). */
function domainCheck(
  claims: Map<string, PlacedAgreement>,
  own: ReadonlyMap<string, Site>,
): Check<PlacedAgreement, Agreement> {
  return (placed, item) => {
    for (const domain of item.domains) {
      const claim = claims.get(domain);
      if (claim) {
        const there = formatPlace(claimSite(claim, domain).place());
        const text = `${domain} is claimed by agreement ${claim.item.name} already, at ${there}`;
        claimSite(placed, domain).report('duplicate-domain', text);
      } else {
        claims.set(domain, placed);
      }
      const ours = own.get(domain);
      if (ours && item.interconnect !== 'loopback') {
        const text = `${domain} is one of own_domains, at ${formatPlace(ours.place())}: no agreement may claim it`;
        claimSite(placed, domain).report('own-domain', `${text} (except interconnect: loopback)`);
      }
    }
    checkAsserted(placed, item, own);
  };
}

/** A network that is known by its path alone would lend that to the name of one that proves itself by certificate. */
function checkLent(placed: PlacedAgreement, claims: ReadonlyMap<string, PlacedAgreement>): void {
  if (placed.terms.mechanism !== 'nds-ip') return;
  const { item, input, site } = placed;
  for (const domain of item.asserts.domains) {
    const owner = claims.get(domain);
    if (owner?.terms.mechanism !== 'tls') continue;
    const named = input().asserts?.domains;
    if (named === undefined) return;
    const text = `${domain} proves itself by certificate in agreement ${owner.item.name}: a path may assert it here too`;
    domainSite(named, domain, site.at('asserts', 'domains')).report('lent-assertion', text);
  }
}

/** An address that stood for two networks would stand for neither (rulebook O-6). */
function targetCheck(): Check<PlacedAgreement, Agreement> {
  const claims = new Map<string, PlacedAgreement>();
  const site = (of: PlacedAgreement, target: StaticTarget): Site =>
    targetSite(of.input().targets ?? [], target, of.site.at('targets'));
  return (placed, { targets }) => {
    for (const target of targets) {
      const claim = claims.get(targetKey(target));
      if (claim === undefined) {
        claims.set(targetKey(target), placed);
        continue;
      }
      const there = formatPlace(site(claim, target).place());
      const text = `${target.address} port ${target.port} is claimed by agreement ${claim.item.name} already, at ${there}`;
      site(placed, target).report('duplicate-target', text);
    }
  };
}

function claimSite({ input, site }: PlacedAgreement, domain: string): Site {
  return domainSite(input().domains, domain, site.at('domains'));
}

function checkAsserted(
  { input, site }: PlacedAgreement,
  { interconnect, asserts }: Agreement,
  own: ReadonlyMap<string, Site>,
): void {
  if (interconnect === 'roaming' || interconnect === 'loopback') return;
  const { domains = [], hosts = [] } = asserts;
  for (const [key, names] of [
    ['domains', domains],
    ['hosts', hosts],
  ] as const) {
    for (const domain of names) {
      const ours = own.get(domain);
      if (!ours) continue;
      const named = input().asserts?.[key];
      if (named === undefined) break;
      const text = `${domain} is one of own_domains, at ${formatPlace(ours.place())}: nobody outside may assert it`;
      const here = domainSite(named, domain, site.at('asserts', key));
      here.report('own-domain', `${text} (except interconnect: roaming or loopback)`);
    }
  }
}

/** Two interfaces on one socket could not be told apart. */
export function checkSockets(interfaces: readonly Placed<Interface>[]): void {
  const first = new Map<string, Site>();
  for (const { item, site } of interfaces) {
    const key = `${item.address} ${item.port}`;
    const other = first.get(key);
    const here = site.at('listen');
    if (other) {
      const text = `expected a socket of its own, found that of the interface at ${formatPlace(other.place())}`;
      here.report('duplicate-listen', text);
    } else {
      first.set(key, here);
    }
  }
}

/**
 * Which interface stands for which agreements, and whether the two can mean anything to each other. `named`
 * holds the names of all interfaces, also of those that have a mistake, and whether all agreements that name one are here.
 */
export function checkInterfaces(
  agreements: readonly PlacedAgreement[],
  interfaces: readonly Placed<Interface>[],
  named: { readonly interfaces: ReadonlySet<string>; readonly byAll: boolean },
): void {
  const users = new Map<string, PlacedAgreement[]>();
  for (const placed of agreements) {
    const { interface: name, interconnect } = placed.terms;
    if (name === undefined) continue;
    const site = pathSite(placed.terms, placed.site);
    if (!named.interfaces.has(name)) {
      const known = named.interfaces.size === 0 ? 'there are none' : `there is ${[...named.interfaces].join(', ')}`;
      const text = `expected the name of an interface (${known}), found ${JSON.stringify(name)}`;
      site.at('interface').report('unknown-interface', text);
    }
    const list = users.get(name);
    if (list === undefined) users.set(name, [placed]);
    else list.push(placed);
    if (interconnect === 'internet' || interconnect === 'enterprise') {
      const text = `interconnect ${interconnect} over an nds-ip interface`;
      const clause = 'TS 33.203 §5.4 wants interfaces of their own for networks that are no IMS';
      site.at('interface').report('exposed-interface', `${text}: ${clause}`);
    }
  }
  for (const { item, site } of interfaces) {
    const using = users.get(item.name) ?? [];
    if (using.length === 0 && named.byAll) {
      site.at('name').report('no-effect', `no agreement names interface ${item.name}: nobody is trusted there`);
    } else if (using.length > 0 && !item.implicitTrust) {
      const text = `implicit_trust is off: no agreement on interface ${item.name} is ever trusted`;
      site.at('implicit_trust').report('no-effect', text);
    }
    if (using.length > 1) {
      const names = using.slice(0, 5).map((user) => user.item.name);
      const more = using.length > names.length ? ` and ${using.length - names.length} more` : '';
      const text = `agreements ${names.join(', ')}${more} share interface ${item.name}`;
      site.at('name').report('shared-interface', `${text}: only the source address tells these networks apart`);
    }
  }
}
