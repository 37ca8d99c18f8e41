/** The door of this room: files as they lie there; what is wrong with them, by file, line and column. */

export { DiskFiles, type Seen, type Suspects, sameList, seenNow } from './disk-files.js';
export { FILE_LIMITS, type FileRead, filesInMemory, type PolicyFiles, tooLarge } from './files.js';
export { deepFreeze, freezeShallow } from './freeze.js';
export { nearest } from './nearest.js';
export { expandGlob, isGlob, isUnsupportedGlob, normalPath, resolvePath } from './paths.js';
export type { KeyPath, Place } from './problem.js';
export { formatPlace, formatProblem, type Problem, type ProblemCode, Problems, type Said } from './problem.js';
export { type RefusedMode, type RegularRead, readRegular, systemProblem } from './regular-file.js';
export { checkShape, inWords, tellHomes, unknownKeys } from './shape.js';
export { certificateFiles, flag, someWords, word, words } from './shapes.js';
export { Site } from './site.js';
