/** The door of this room: a checked policy made into the frozen snapshot that answers are given by. */

export { AgreementList } from './agreement-list.js';
export { type ContentSource, checkPolicy, type PolicyContent } from './compile.js';
export {
  type Policy,
  type PolicyDifference,
  policyDifferences,
  policyDifferencesInSteps,
  type SomeDifferences,
} from './difference.js';
export {
  type Contents,
  type Held,
  Packer,
  type Parcel,
  type SnapshotParts,
  snapshotOf,
  snapshotWith,
  unpack,
} from './parcel.js';
