/** The door of this room: what an agreement says, and what it asks of words about a certificate. */

export {
  type Agreement,
  type Asserts,
  type AttributeMatch,
  agreementOfName,
  type Direction,
  type EkuPolicy,
  type HeaderAction,
  type Interface,
  type PrivacyMode,
  parentOf,
  type RevocationPolicy,
  type Snapshot,
  type StaticTarget,
  targetKey,
} from './agreement.js';
export { missingAttributes, parseOneLineName } from './attributes.js';
export { AuthorityTable, authoritiesOf } from './authority-table.js';
export { leastPrivilege } from './least-privilege.js';
export { MappedTable } from './mapped-table.js';
export { NameTable } from './name-table.js';
export { needsCertificate, servedByWords } from './words.js';
