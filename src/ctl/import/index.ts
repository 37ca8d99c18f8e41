/** The door of this room: `import`: agreements out of what an operator has already. */

export { Authorities } from './authorities.js';
export { policyText } from './candidate.js';
export { readBundle } from './certificate-folder.js';
export { type ImportContext, importCommands } from './command.js';
export { refusals } from './judged.js';
export { leafAgreements } from './leaf-agreements.js';
