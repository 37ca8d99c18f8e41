/** The door of this room: what an agreement says, and what it asks of words about a certificate. */

export {
  type Agreement,
  type Asserts,
  type AttributeMatch,
  type Direction,
  type EkuPolicy,
  type HeaderAction,
  type Interface,
  type PrivacyMode,
  type RevocationPolicy,
  type SecurityMechanism,
  type StaticTarget,
  targetKey,
} from './agreement.js';
export { missingAttributes, parseOneLineName } from './attributes.js';
export { AuthorityTable, authoritiesOf } from './authority-table.js';
export { leastPrivilege } from './least-privilege.js';
export { MappedTable } from './mapped-table.js';
export { NameTable } from './name-table.js';
export { agreementOfName, parentOf, type Snapshot } from './snapshot.js';
export { needsCertificate, servedByWords } from './words.js';
