/** The door of this room: `cert`: certificates, and requests for them. */

export { certificateFile, certificatesIn } from './certificate-file.js';
export { certificateCommands } from './command.js';
export { makeKey, makeRequest, type RequestOptions } from './request.js';
