/**
 * Distinguished names as agreements ask for them (`subject`, `issuer`), and what a proxy that cannot hand over the
 * certificate tells of it in words.
 */

import { visiblyQuoted } from '../../printable.js';
import { entriesOf } from '../../typed.js';
import type { NameAttribute } from '../../x509/certificate/index.js';
import type { AttributeMatch } from './agreement.js';

/** Attribute types of X.520 by the names that the policy file uses. */
const TYPES: Readonly<Record<keyof AttributeMatch, string>> = {
  commonName: 'CN',
  organization: 'O',
  organizationalUnit: 'OU',
  country: 'C',
  state: 'ST',
  locality: 'L',
  domainComponent: 'DC',
};

/** The parts of a distinguished name that a match looks at. */
export type NamePart = Pick<NameAttribute, 'type' | 'value'>;

/**
 * The attributes that an agreement asks for and the name does not hold, as `O: expected "X", found "Y"`.
 * Values are compared whole and case-sensitively.
 */
function missingAttributes(wanted: AttributeMatch, name: readonly NamePart[]): readonly string[] {
  const missing: string[] = [];
  for (const [key, values] of entriesOf(wanted)) {
    const found = name.filter((part) => part.type === TYPES[key]).map((part) => part.value);
    for (const value of values ?? []) {
      if (!found.includes(value)) {
        const shown = found.map(visiblyQuoted).join(', ') || 'none';
        missing.push(`${key}: expected ${visiblyQuoted(value)}, found ${shown}`);
      }
    }
  }
  return missing;
}

/** The same of both names of a certificate. */
export function missingNames(
  { subject, issuer }: { readonly subject: AttributeMatch; readonly issuer: AttributeMatch },
  found: { readonly subject: readonly NamePart[]; readonly issuer: readonly NamePart[] },
): readonly string[] {
  return [
    ...missingAttributes(subject, found.subject).map((text) => `subject ${text}`),
    ...missingAttributes(issuer, found.issuer).map((text) => `issuer ${text}`),
  ];
}

/**
 * Reads the one-line name of OpenSSL (`/C=DE/O=Operator B/CN=b.example`). Its values are not escaped, so that a value
 * with a slash in it can look like a further attribute: a name that states one type twice, or has a part that is none,
 * is unreadable (undefined). What remains of that weakness is why words carry less assurance than a certificate.
 */
export function parseOneLineName(text: string): readonly NamePart[] | undefined {
  if (!text.startsWith('/')) return undefined;
  const name: NamePart[] = [];
  for (const part of text.slice(1).split('/')) {
    const [, type, value] = /^([A-Za-z][A-Za-z0-9.]*)=(.*)$/.exec(part) ?? [];
    if (type === undefined || value === undefined || name.some((known) => known.type === type)) return undefined;
    name.push({ type, value });
  }
  return name;
}

/** Reads an instant as OpenSSL prints it (`Nov  3 10:00:00 2026 GMT`), ms; undefined: it is none. */
export function parsePrintedTime(text: string): number | undefined {
  if (!/^[A-Z][a-z]{2} [ 0-9]\d \d{2}:\d{2}:\d{2} \d{4} GMT$/.test(text)) return undefined;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? undefined : ms;
}
