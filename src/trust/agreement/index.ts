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
export {
  type Agreements,
  type AgreementTable,
  type Authority,
  authoritiesOf,
  type Material,
  type Terms,
} from './agreements.js';
export { missingNames, parseOneLineName, parsePrintedTime } from './attributes.js';
export { leastPrivilege, namesWithin } from './least-privilege.js';
export { MappedTable } from './mapped-table.js';
export { agreementOfName, parentOf, type Snapshot } from './snapshot.js';
export { needsCertificate, servedByWords } from './words.js';
