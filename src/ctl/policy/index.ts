/** The door of this room: policy files and candidates: `policy`, `replay`, answers without a daemon. */

export { policyCommands } from './command.js';
export { approvedPins, configAnswer, configAnswers, openPolicy } from './policy-file.js';
export { replayCommand } from './replay.js';
