/** The door of this room: a policy as the fleet has it: revisions, signatures, what is withdrawn. */

export {
  BUNDLE_LIMITS,
  type BundledFile,
  BundleFiles,
  bundleOf,
  RecordingFiles,
  readTree,
  treeInSteps,
} from './bundle.js';
export { blobPath, NO_CONTENT, type Opened, openRevision, REVISION_FILE } from './local-copy.js';
export { withdrawInSteps } from './withdraw.js';
