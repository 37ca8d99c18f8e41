/** The door of this room: the policy in force, how it is read again, tried, and what it was before. */

export type { PolicyEvent } from './history.js';
export { PolicyHolder, type ReloadReport } from './holder.js';
export { PromotionError, promote } from './promotion.js';
export { RevisionFloor } from './revision-floor.js';
export { PolicyThread } from './thread.js';
