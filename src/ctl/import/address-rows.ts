/**
 * Rows of Kamailio's `address` table (module permissions): a group, an address with a mask, a port, a tag. What they say
 * is "this source address is known", which an nds-ip agreement says of an interface behind a security gateway.
 */

import { parseAddress, prefixOf } from '../../net/address/index.js';
import { policyDomain } from '../../policy/values/index.js';
import type { Table, TableRow } from '../tables/index.js';
import { type Candidate, Names } from './candidate.js';
import { type Finding, leftOut, shown } from './report.js';

/** The columns of the table, in the order in which Kamailio creates them. */
export const ADDRESS_COLUMNS: readonly string[] = ['id', 'grp', 'ip_addr', 'mask', 'port', 'tag'];

export interface AddressOptions {
  readonly interface: string;
  /** Take rows that name a source port, without the port. */
  readonly anyPort: boolean;
  /** Which partner a group or a tag is: rows of `grp,tag,name,domains`. */
  readonly names?: Table;
}

export interface Imported {
  readonly candidates: readonly Candidate[];
  readonly findings: readonly Finding[];
}

interface Partner {
  readonly title: string;
  readonly domains: readonly string[];
  readonly sources: Set<string>;
  readonly from: Set<string>;
}

/** One agreement for each partner that rows with the same name, tag or group stand for. */
export function addressAgreements(table: Table, options: AddressOptions): Imported {
  const findings: Finding[] = table.unread.map(({ place, why }) => leftOut(place, '', why));
  const partners = new Map<string, Partner>();
  const claims = new Map<string, Partner>();
  const nameless = new Set<string>();
  const finder = new PartnerFinder(options.names);
  for (const row of table.rows) {
    const { place, cells } = row;
    const subject = shown(cells.ip_addr);
    const read = sourceOf(cells, options.anyPort);
    if ('why' in read) {
      findings.push(leftOut(place, subject, read.why));
      continue;
    }
    const { title, domains } = finder.find(row);
    if (domains.length === 0) {
      const hint = nameless.has(title) ? '' : `; name it in --names FILE: grp,tag,name,domains / ${finder.line(row)}`;
      nameless.add(title);
      findings.push(
        leftOut(
          place,
          subject,
          `expected the domain of the partner, which no row says (tag ${quoted(cells.tag)})${hint}`,
        ),
      );
      continue;
    }
    const partner = partners.get(title.toLowerCase()) ?? { title, domains, sources: new Set(), from: new Set() };
    const claim = claims.get(read.source);
    if (claim !== undefined && claim !== partner) {
      const why = `${read.source} stands for ${claim.title} already: one address on one interface is one partner (what tells two apart is an interface or a source port of its own)`;
      findings.push(leftOut(place, subject, why));
      continue;
    }
    claims.set(read.source, partner);
    partners.set(title.toLowerCase(), partner);
    partner.sources.add(read.source);
    partner.from.add(place);
    for (const text of read.changed) findings.push({ from: place, subject, outcome: 'changed', text });
  }
  const names = new Names();
  const candidates = [...partners.values()].map(({ title, domains, sources, from }) => ({
    name: names.take(title),
    from: [...from],
    keys: { domains, mechanism: 'nds-ip', interface: options.interface, sources: [...sources] },
  }));
  return { candidates, findings };
}

function quoted(text: string | undefined): string {
  return text === undefined ? 'none' : JSON.stringify(shown(text));
}

/** The prefix that a row means to Kamailio. */
function sourceOf(
  { ip_addr: text, mask: maskText = '', port = '0' }: TableRow['cells'],
  anyPort: boolean,
): { readonly source: string; readonly changed: readonly string[] } | { readonly why: string } {
  if (text === undefined) return { why: 'expected an address in ip_addr, found none' };
  const [host = '', length, ...rest] = text.trim().split('/');
  const address = parseAddress(host.replace(/^\[(.*)\]$/, '$1'));
  if (address === undefined || rest.length > 0) {
    const next =
      'siptrust resolves no sources (a partner with a name is better known by its certificate: mechanism tls)';
    return { why: `expected an IP address in ip_addr, found ${quoted(text)}: ${next}` };
  }
  const bits = address.bytes.length * 8;
  const given = (length ?? maskText).trim();
  if (!/^[0-9]{0,3}$/.test(given)) return { why: `expected a mask of 0 to ${bits} bits, found ${quoted(given)}` };
  // permissions: mask 0 is a single address; the default of the column, 32, is one for IPv4 alone.
  const mask = given === '' || Number(given) === 0 ? bits : Number(given);
  if (mask > bits) return { why: `expected a mask of 0 to ${bits} bits, found ${mask} (Kamailio loads no such table)` };
  const changed: string[] = [];
  if (!/^(?:0|)$/.test(port.trim())) {
    const what = `source port ${shown(port)}: a source of an agreement has no port`;
    if (!anyPort) return { why: `${what} (source_ports of an interface have); --any-port takes the row without it` };
    changed.push(`${what}, it holds for all of them now`);
  }
  const prefix = prefixOf(address, mask);
  if (prefix.bytes.some((byte, at) => byte !== address.bytes[at])) {
    // One IPv6 host with the default of the column is a whole provider to Kamailio, which nobody meant.
    if (bits === 128 && mask === 32) {
      return {
        why: `mask 32, the default of the column, makes ${prefix.text} of ${host}: expected 128, or the network`,
      };
    }
    changed.push(`${host}/${mask} has bits set after the mask: the network is ${prefix.text}`);
  }
  return { source: prefix.length === bits ? address.text : prefix.text, changed };
}

/** Says whose row it is: by the names file (group and tag, else tag, else group), by a tag that is a domain, or by nothing. */
class PartnerFinder {
  readonly #names = new Map<string, TableRow>();

  constructor(names: Table | undefined) {
    for (const row of names?.rows ?? []) {
      const key = keyOf(row.cells.grp, row.cells.tag);
      if (!this.#names.has(key)) this.#names.set(key, row);
    }
  }

  find({ cells: { grp = '', tag } }: TableRow): { readonly title: string; readonly domains: readonly string[] } {
    const named =
      this.#names.get(keyOf(grp, tag)) ??
      (tag === undefined ? undefined : this.#names.get(keyOf(undefined, tag))) ??
      this.#names.get(keyOf(grp, undefined));
    if (named !== undefined) {
      const domains = (named.cells.domains ?? '').split(/[\s;]+/).filter((word) => word !== '');
      return { title: named.cells.name ?? domains[0] ?? `grp-${grp}`, domains };
    }
    if (tag === undefined) return { title: `grp-${grp}`, domains: [] };
    const read = policyDomain(tag.trim());
    return { title: tag.trim(), domains: 'domain' in read ? [read.domain] : [] };
  }

  /** A line for the names file that would name this row. */
  line({ cells: { grp = '', tag = '' } }: TableRow): string {
    const plain = /^[^",\r\n]*$/.test(tag) ? tag : JSON.stringify(tag);
    return `${tag === '' ? grp : ''},${plain},NAME,DOMAIN`;
  }
}

function keyOf(grp: string | undefined, tag: string | undefined): string {
  return JSON.stringify([grp?.trim() ?? null, tag?.trim() ?? null]);
}
