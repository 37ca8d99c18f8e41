/** The door of this room: certificates, CRLs and keys in the files that a policy names. */

export { type FileMemory, Material } from './material.js';
