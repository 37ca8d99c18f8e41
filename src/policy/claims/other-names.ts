/**
 * Names that certificates of a partner may bear in place of its domains: `server_names`, one by one, and `wildcard_names`,
 * one label in front of a suffix. Whoever lends a name to a partner must own it: it is none of ours and nobody else's.
 */

import { parentOf } from '../../trust/agreement/index.js';
import { formatPlace, type Site } from '../reading/index.js';
import { domainSite } from '../values/index.js';
import type { PlacedAgreement } from './claims.js';

interface Claim {
  readonly by: PlacedAgreement;
  readonly key: 'domains' | 'wildcard_names';
}

/** Domains and suffixes that are claimed, and every name above one of them. */
interface Claims {
  readonly names: ReadonlyMap<string, Claim>;
  /** By a name: claims that stand under it, of two agreements where there are so many: one of them is another than any given one. */
  readonly under: ReadonlyMap<string, readonly (readonly [string, Claim])[]>;
}

/** Names lent by `server_names` and `wildcard_names` belong to one partner, and none of them is ours. */
export function checkOtherNames(agreements: readonly PlacedAgreement[], own: ReadonlyMap<string, Site>): void {
  const using = agreements.filter(({ item }) => item.serverNames.length + item.wildcardNames.length > 0);
  // Most policies have none.
  if (using.length === 0) return;
  const claims = claimsOf(agreements);
  for (const placed of using) {
    for (const name of placed.item.serverNames) checkServerName(name, placed, claims, own);
    for (const suffix of placed.item.wildcardNames) checkSuffix(suffix, placed, claims, own);
    checkEffect(placed);
  }
}

function claimsOf(agreements: readonly PlacedAgreement[]): Claims {
  const names = new Map<string, Claim>();
  const under = new Map<string, (readonly [string, Claim])[]>();
  for (const by of agreements) {
    for (const [key, list] of [
      ['domains', by.item.domains],
      ['wildcard_names', by.item.wildcardNames],
    ] as const) {
      for (const name of list) {
        const claim = { by, key };
        // Two agreements on one domain are an error of their own; two suffixes must meet here.
        if (!names.has(name) || key === 'domains') names.set(name, claim);
        for (let above = parentOf(name); above !== ''; above = parentOf(above)) {
          const known = under.get(above);
          if (known === undefined) under.set(above, [[name, claim]]);
          else if (known.length < 2 && known[0]?.[1].by !== by) known.push([name, claim]);
        }
      }
    }
  }
  return { names, under };
}

function siteOf({ by, key }: Claim, name: string): Site {
  return domainSite(by.input()[key] ?? [], name, by.site.at(key));
}

function checkServerName(
  name: string,
  placed: PlacedAgreement,
  { names }: Claims,
  own: ReadonlyMap<string, Site>,
): void {
  const { item, input, site } = placed;
  const here = (): Site => domainSite(input().server_names ?? [], name, site.at('server_names'));
  const ours = own.get(name);
  if (ours !== undefined && item.interconnect !== 'loopback') {
    const text = `${name} is one of own_domains, at ${formatPlace(ours.place())}: no certificate of a partner may bear it`;
    here().report('own-domain', `${text} (except interconnect: loopback)`);
  }
  const claim = names.get(name);
  if (claim === undefined || claim.key !== 'domains') return;
  if (claim.by === placed) {
    // Beside other domains it says that their servers may bear this one.
    if (item.domains.length === 1) here().report('repeated-value', `${name} stands under domains already`);
  } else {
    const there = formatPlace(siteOf(claim, name).place());
    here().report('duplicate-domain', `${name} is claimed by agreement ${claim.by.item.name} already, at ${there}`);
  }
}

function checkSuffix(suffix: string, placed: PlacedAgreement, claims: Claims, own: ReadonlyMap<string, Site>): void {
  const here = domainSite(placed.input().wildcard_names ?? [], suffix, placed.site.at('wildcard_names'));
  for (const [domain, ours] of own) {
    if (!overlap(domain, suffix)) continue;
    const text = `${suffix} overlaps ${domain} of own_domains, at ${formatPlace(ours.place())}`;
    here.report('own-domain', `${text}: nobody else's certificate may stand for a name of ours`);
    return;
  }
  const other = overlapping(suffix, placed, claims);
  if (other !== undefined) {
    const [name, claim] = other;
    const there = `${name} of agreement ${claim.by.item.name}, at ${formatPlace(siteOf(claim, name).place())}`;
    here.report('duplicate-domain', `${suffix} overlaps ${there}: a wildcard would stand for names of both`);
    return;
  }
  const text = `one label in front of ${suffix} is accepted as agreement ${placed.item.name}, a wildcard (RFC 5922 §7.2) too`;
  here.report('wildcard-name', `${text}: any machine with a name there passes for this network`);
}

/** A domain or suffix of another agreement that is this suffix, stands under it, or is above it. */
function overlapping(suffix: string, placed: PlacedAgreement, { names, under }: Claims) {
  for (let name = suffix; name !== ''; name = parentOf(name)) {
    const claim = names.get(name);
    if (claim !== undefined && claim.by !== placed) return [name, claim] as const;
  }
  return under.get(suffix)?.find(([, { by }]) => by !== placed);
}

function overlap(a: string, b: string): boolean {
  return a === b || a.endsWith(`.${b}`) || b.endsWith(`.${a}`);
}

function checkEffect({ item, input, site }: PlacedAgreement): void {
  if (item.mechanism !== 'tls' || input().server_names === undefined || item.directions.includes('out')) return;
  const text = 'server_names has no effect: the agreement does not cover direction out';
  site.at('server_names').report('no-effect', `${text} (a peer that calls is known by domains)`, 'key');
}
