/** The door of this room: what must happen to a message at a boundary (trust.message). */

export { type MessageInput, planMessage } from './message.js';
export { outcomeOf, type Plan } from './plan.js';
