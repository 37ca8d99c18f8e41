/** Work that takes its time: how far it is, and an end at any moment. */

export { Progress, type ProgressOptions } from './progress.js';
export { Stop, type StopSignal } from './stop.js';
