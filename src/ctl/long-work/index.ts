/** Work that takes its time: how far it is, and an end at any moment. */

export { Progress, type Words } from './progress.js';
export { type Breathe, Stop, stoppable } from './stop.js';
