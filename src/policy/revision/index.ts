/** The door of this room: a revision of the fleet's policy: what it is, and who signed it. */

export {
  contentHash,
  MOST_REVISION_OCTETS,
  REVISION_WORDS,
  type Revision,
  type RevisionContent,
  readRevision,
  sameFiles,
} from './revision.js';
export { keyId, type PolicyKey, policyKey, signatureFault, signed } from './signature.js';
