/** The door of this room: the policy of many nodes: revisions, nodes, and who follows. */

export { batches } from './batches.js';
export { Fleet, type FleetStatus } from './fleet.js';
export { FleetDatabase, type NodeRow, PushConflict, type StoredRevision } from './fleet-database.js';
export { FleetPolicy } from './fleet-policy.js';
export { Follower } from './follower.js';
export { KeptRevision } from './kept-revision.js';
export { revisionRow } from './revision-row.js';
