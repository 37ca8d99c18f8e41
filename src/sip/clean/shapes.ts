/** Lines of the fields that some rule speaks of. */

import { spellings } from '../grammar/index.js';
import { type HookProfile, URI_FIELDS } from '../table/index.js';
import { ASSERTED, type Marks, markOf, NUMBER } from './marks.js';
import { nameOf } from './name-tree.js';
import type { Purpose } from './purpose.js';
import { bearsNone, hasNone, insides, mediaType, onlyNames, touching, words } from './rests.js';
import { BLANKS, COLON, END, heads, lettersBut, type Values } from './values.js';

/** What the lines of single fields may hold. */
export class Shapes {
  readonly #profile: HookProfile;
  readonly #purpose: Purpose;
  readonly #values: Values;
  readonly #marks: Marks;
  readonly #removed: readonly string[];

  readonly alternatives: string[] = [];
  /** By the name, what stands behind it in most lines. */
  readonly most = new Map<string, string>();

  /** @param removed what the list removes, in lower case: of those nothing is said here */
  constructor(profile: HookProfile, purpose: Purpose, values: Values, marks: Marks, removed: readonly string[]) {
    this.#profile = profile;
    this.#purpose = purpose;
    this.#values = values;
    this.#marks = marks;
    this.#removed = removed;
    // The first shape of a field counts.
    this.#addBearing();
    this.#addInside();
    this.#addBodies();
    this.#addPrivacy();
    if (profile.screens) this.#add(['p-asserted-identity'], ...this.#assertion());
    if (purpose.direction === 'in') this.#addInbound();
  }

  /** What the line of a field may hold, by the rules on what stands in it. */
  looked(fields: readonly string[]): string {
    const { lines } = this.#profile;
    const uris = fields.some((field) => URI_FIELDS.has(field));
    const params = uris ? touching(lines.params, fields) : [];
    const others = touching(insides(lines), fields).filter((each) => !params.includes(each));
    const value = others.length === 0 ? this.#values.any : words(others);
    // A URI beside the value is looked at like any other.
    return `${hasNone(params)}${uris && others.length > 0 ? `(?=${this.#values.any}${END})` : ''}${value}`;
  }

  #add(fields: readonly string[], value: string, most?: string): void {
    const own = fields.filter((field) => !this.most.has(field) && !this.#removed.includes(field));
    if (own.length === 0) return;
    const line = `${COLON}${value}${END}`;
    for (const name of own) this.most.set(name, most ?? line);
    this.alternatives.push(`${nameOf(own)}${line}`);
  }

  #addBearing(): void {
    const { lines } = this.#profile;
    for (const each of lines.bearing) {
      const params = touching(lines.params, each.fields).flatMap(({ names }) => names);
      const value = `${bearsNone(each, this.#purpose.leniency)}${this.looked(each.fields)}`;
      this.#add(each.fields, value, this.#values.plainWithout(each.names, heads(params)));
    }
  }

  #addInside(): void {
    const inside = insides(this.#profile.lines);
    for (const { fields } of inside) this.#add(fields, this.looked(fields), onlyNames(inside, fields));
  }

  #addBodies(): void {
    const { bodies, parts } = this.#profile.lines;
    if (bodies.length === 0) return;
    const subtypes = bodies.map((name) => name.slice(name.indexOf('/') + 1));
    const whole = parts && this.#purpose.leniency === 'as it is';
    const types = [...bodies, ...(whole ? ['multipart/*'] : [])];
    const other = `:[ ]${whole ? '(?!m)' : ''}[a-z]++/[${lettersBut(heads(subtypes))}]${this.#values.plain}`;
    const none = `${BLANKS}(?!${types.map(mediaType).join('|')})${this.#values.any}`;
    this.#add(spellings('content-type'), none, other);
  }

  #addPrivacy(): void {
    const { privacy } = this.#profile.lines;
    if (privacy === 'listed') this.#add(['privacy'], `${BLANKS}(?:id|none)${BLANKS}`);
    if (privacy === 'not-critical') this.#add(['privacy'], words([{ fields: [], names: ['critical'], allBut: false }]));
  }

  #addInbound(): void {
    // Who starts no services of our users by ;orig starts none by a Route, either.
    if (this.#profile.lines.uriParams.includes('orig')) this.#add(['route'], ...this.#values.route());
    const mark = markOf('content-length');
    const last = `:[ ]*+[0-9]{1,9}+${END}${this.#marks.unset(mark)}(?:${END}(*ACCEPT)|${this.#marks.set(mark)})`;
    const once = this.#marks.once('content-length');
    this.#add(spellings('content-length'), `${once}${BLANKS}[0-9]{1,9}+${BLANKS}`, last);
  }

  /**
   * One plain SIP URI, one plain telephone number, or the one and then the other (RFC 3325 §9.1): so the first value names
   * the domain that is asserted, and the script has one to look at. Then how most lines go on.
   */
  #assertion(): readonly [string, string] {
    const name = `(?:"${this.#values.text('"\\\\,;<>@:')}"|[-A-Za-z0-9 .]*+)${BLANKS}`;
    const uri = '<sips?:[-+A-Za-z0-9._]++@[-A-Za-z0-9.]++(?:;user=phone)?>';
    const tel = `${name}<tel:[+][0-9]++>${this.#marks.set(NUMBER)}`;
    const neither = `${this.#marks.unset(ASSERTED)}${this.#marks.unset(NUMBER)}`;
    const sip = `${neither}${name}${uri}${this.#marks.set(ASSERTED)}(?:${BLANKS},${BLANKS}${tel})?`;
    return [
      `${BLANKS}(?:${sip}|${this.#marks.unset(NUMBER)}${tel})${BLANKS}`,
      `:[ ](?:"[-A-Za-z0-9 .]*+"[ ]|)${uri}${END}${neither}${this.#marks.set(ASSERTED)}`,
    ];
  }
}
