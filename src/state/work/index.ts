/** The door of this room: long work in short turns, and in threads of its own. */

export { inSlices, sortedInSteps } from './slices.js';
export { startThread } from './thread.js';
