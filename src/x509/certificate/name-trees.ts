/**
 * Sets of subtrees of one kind of name (RFC 5280 §4.2.1.10), in which a name is looked up by what it is below of: a DNS
 * name by its suffixes, an address by the masks there are, a directory name by its relative names.
 */

import { hex, MalformedDer } from '../der/index.js';
import type { AlternativeName, NameKeys } from './facts.js';
import { parseName } from './name.js';

/** Where a name was found: inside one of the subtrees, outside of all, or why it cannot be compared. */
export type Found = { readonly inside: AlternativeName } | { readonly outside: true } | { readonly unreadable: string };

const OUTSIDE: Found = { outside: true };

export interface NameTrees {
  /** Takes a subtree; why it can hold no name, or undefined. */
  add(base: AlternativeName): string | undefined;
  /** `keys`: of a directory name that has been read. */
  find(name: AlternativeName, keys: NameKeys | undefined): Found;
}

/** Visible ASCII in lower case; undefined: it is something else. */
export function plainText(bytes: Uint8Array): string | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  return /^[\x21-\x7e]*$/.test(text) ? text.toLowerCase() : undefined;
}

export const HOST = /^(?!-)[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/;

/** Longest DNS name (RFC 1035 §2.3.4). */
const MOST_HOST = 253;

const isHost = (text: string | undefined): text is string =>
  text !== undefined && text.length <= MOST_HOST && HOST.test(text);

/** A name and what it lies below, from the name itself up to (not including) the root. */
function* suffixes(host: string): Generator<string> {
  yield host;
  for (let dot = host.indexOf('.'); dot >= 0; dot = host.indexOf('.', dot + 1)) yield host.slice(dot + 1);
}

/** The subtree of the nearest suffix of a host, the host itself left out where `strictly` asks for names below. */
function nearest(host: string, trees: ReadonlyMap<string, AlternativeName>, strictly = false): Found {
  for (const suffix of suffixes(host)) {
    const base = strictly && suffix === host ? undefined : trees.get(suffix);
    if (base !== undefined) return { inside: base };
  }
  return OUTSIDE;
}

/**
 * dNSName: zero or more labels added on the left. A constraint with a leading dot is not in RFC 5280 but deployed; it
 * means the names below. A presented wildcard stands for every name it could match: one such name inside an excluded
 * subtree excludes it.
 */
export class HostTrees implements NameTrees {
  readonly #excluded: boolean;

  #all: AlternativeName | undefined;
  readonly #plain = new Map<string, AlternativeName>();
  readonly #dotted = new Map<string, AlternativeName>();
  /** By the domain that their first label stands in. */
  readonly #parents = new Map<string, AlternativeName>();

  constructor(excluded: boolean) {
    this.#excluded = excluded;
  }

  add(base: AlternativeName): string | undefined {
    const { dotted, host } = constrained(base);
    if (host === '') this.#all ??= base;
    else if (!isHost(host)) return 'the constraint is no DNS name';
    else {
      (dotted ? this.#dotted : this.#plain).set(host, base);
      const dot = host.indexOf('.');
      if (dot >= 0) this.#parents.set(host.slice(dot + 1), base);
    }
    return undefined;
  }

  find({ bytes }: AlternativeName): Found {
    const presented = plainText(bytes);
    const wildcard = presented?.startsWith('*.') ?? false;
    const host = wildcard ? presented?.slice(2) : presented;
    // One trailing dot only marks the name as absolute.
    const plain = host?.endsWith('.') ? host.slice(0, -1) : host;
    if (!isHost(plain)) return { unreadable: 'the name is no DNS name' };
    if (this.#all !== undefined) return { inside: this.#all };
    const found = nearest(plain, this.#plain);
    if (found !== OUTSIDE) return found;
    const below = nearest(plain, this.#dotted, !wildcard && !this.#excluded);
    if (below !== OUTSIDE || !wildcard || !this.#excluded) return below;
    const sibling = this.#parents.get(plain);
    return sibling === undefined ? OUTSIDE : { inside: sibling };
  }
}

/** iPAddress: address and mask of the same length; addresses of the other family are outside. */
export class IpTrees implements NameTrees {
  /** By mask in hex; there are 33 and 129. */
  readonly #masks = new Map<string, { readonly mask: Uint8Array; readonly nets: Map<string, AlternativeName> }>();

  add(base: AlternativeName): string | undefined {
    const size = base.bytes.length / 2;
    if (size !== 4 && size !== 16) return 'the constraint is no address with a mask';
    const mask = base.bytes.subarray(size);
    if (!prefixMask(mask)) return 'the mask of the constraint is no prefix';
    const key = hex(mask);
    const known = this.#masks.get(key) ?? { mask, nets: new Map<string, AlternativeName>() };
    this.#masks.set(key, known);
    known.nets.set(masked(base.bytes, mask), base);
    return undefined;
  }

  find({ bytes }: AlternativeName): Found {
    if (bytes.length !== 4 && bytes.length !== 16) return { unreadable: 'the name is no address' };
    for (const { mask, nets } of this.#masks.values()) {
      const base = mask.length === bytes.length ? nets.get(masked(bytes, mask)) : undefined;
      if (base !== undefined) return { inside: base };
    }
    return OUTSIDE;
  }
}

function masked(address: Uint8Array, mask: Uint8Array): string {
  return hex(mask.map((octet, i) => octet & (address[i] ?? 0)));
}

/** RFC 4632 style: ones, then zeros. */
export function prefixMask(mask: Uint8Array): boolean {
  let ended = false;
  for (const octet of mask) {
    if (ended ? octet !== 0 : (((octet ^ 0xff) + 1) & (octet ^ 0xff)) !== 0) return false;
    if (octet !== 0xff) ended = true;
  }
  return true;
}

interface Mailbox {
  readonly local: string;
  readonly host: string;
}

/** Local part as it stands (it may be case-sensitive, RFC 5321 §2.4), host in lower case. */
export function mailbox(bytes: Uint8Array): Mailbox | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  const at = text.indexOf('@');
  const [local, host] = [text.slice(0, at), text.slice(at + 1).toLowerCase()];
  if (at < 1 || !/^[\x21-\x7e]*$/.test(text) || !isHost(host)) return undefined;
  return { local, host };
}

/** What a constraint names: empty for all, undefined for what is no text; a lone dot is no host. */
function constrained({ bytes }: AlternativeName): { readonly dotted: boolean; readonly host: string | undefined } {
  const text = plainText(bytes);
  if (text?.startsWith('.')) return { dotted: true, host: text.slice(1) || undefined };
  return { dotted: false, host: text };
}

/** A host constraint means that host alone; one with a leading dot all hosts below it, but not itself. */
class HostsAndDomains {
  #all: AlternativeName | undefined;
  readonly #hosts = new Map<string, AlternativeName>();
  readonly #domains = new Map<string, AlternativeName>();

  add(base: AlternativeName): string | undefined {
    const { dotted, host } = constrained(base);
    if (host === '') this.#all ??= base;
    else if (!isHost(host)) return 'the constraint is no host or domain';
    else (dotted ? this.#domains : this.#hosts).set(host, base);
    return undefined;
  }

  find(host: string): Found {
    const base = this.#all ?? this.#hosts.get(host);
    return base === undefined ? nearest(host, this.#domains, true) : { inside: base };
  }
}

/** rfc822Name: a mailbox, all of a host, or (leading dot) all hosts below a domain. */
export class EmailTrees implements NameTrees {
  readonly #mailboxes = new Map<string, AlternativeName>();
  readonly #hosts = new HostsAndDomains();

  add(base: AlternativeName): string | undefined {
    if (!base.bytes.includes(0x40)) return this.#hosts.add(base);
    const only = mailbox(base.bytes);
    if (only === undefined) return 'the constraint is no mailbox';
    this.#mailboxes.set(`${only.local}@${only.host}`, base);
    return undefined;
  }

  find({ bytes }: AlternativeName): Found {
    const presented = mailbox(bytes);
    if (presented === undefined) return { unreadable: 'the name is no mailbox' };
    const base = this.#mailboxes.get(`${presented.local}@${presented.host}`);
    return base === undefined ? this.#hosts.find(presented.host) : { inside: base };
  }
}

/** Scheme, userinfo, host and port (RFC 3986 §3.2): of what is written otherwise each reader finds another host. */
const AUTHORITY = /^[a-z][a-z0-9+.-]*:\/\/(?:[a-z0-9._~!$&'()*+,;=:%-]*@)?([^/?#:@\\]*)(?::\d*)?(?=[/?#]|$)/;

/**
 * URI: applies to the host of the authority. A URI without one (every `sip:` URI), or with an address there, is refused
 * wherever URIs are constrained (RFC 5280 §4.2.1.10).
 */
export class UriTrees implements NameTrees {
  readonly #hosts = new HostsAndDomains();

  add(base: AlternativeName): string | undefined {
    return this.#hosts.add(base);
  }

  find({ bytes }: AlternativeName): Found {
    const text = plainText(bytes);
    const host = text === undefined ? undefined : AUTHORITY.exec(text)?.[1];
    if (!isHost(host) || /(^|\.)\d+$/.test(host))
      return {
        unreadable:
          'the URI has no authority with a domain name (a sip: URI never has: below such a CA a dNSName names the domain)',
      };
    return this.#hosts.find(host);
  }
}

/** One relative name of a tree, and what is below it. */
interface Branch {
  base: AlternativeName | undefined;
  readonly below: Map<string, Branch>;
}

/** directoryName: the constraint is a prefix of the name. */
export class DirectoryTrees implements NameTrees {
  readonly #root: Branch = { base: undefined, below: new Map() };

  add(base: AlternativeName): string | undefined {
    const keys = keysOf(base);
    if (typeof keys === 'string') return keys;
    let branch = this.#root;
    for (const rdn of keys.rdns) {
      const next = branch.below.get(rdn) ?? { base: undefined, below: new Map() };
      branch.below.set(rdn, next);
      branch = next;
    }
    branch.base ??= base;
    return undefined;
  }

  find(name: AlternativeName, read: NameKeys | undefined): Found {
    const keys = read ?? keysOf(name);
    if (typeof keys === 'string') return { unreadable: keys };
    let branch: Branch | undefined = this.#root;
    for (const rdn of keys.rdns) {
      if (branch === undefined || branch.base !== undefined) break;
      branch = branch.below.get(rdn);
    }
    return branch?.base === undefined ? OUTSIDE : { inside: branch.base };
  }
}

/** The key of a directory name, or why it cannot be read. */
function keysOf({ bytes }: AlternativeName): NameKeys | string {
  try {
    return parseName(bytes).keys;
  } catch (cause) {
    if (cause instanceof MalformedDer) return cause.message;
    throw cause;
  }
}
