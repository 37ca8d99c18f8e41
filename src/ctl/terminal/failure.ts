import { visibleLines } from './visible.js';

/** A command that could not be done, and the exit code that says how far it came. */
export class Refusal extends Error {
  constructor(
    message: string,
    /** 1: the daemon answered with an error. 2: nothing was answered. 130, 143: a signal came, SIGINT or SIGTERM. */
    readonly exitCode: 1 | 2 | 130 | 143,
    options?: ErrorOptions,
  ) {
    super(visibleLines(message), options);
    this.name = 'Refusal';
  }
}
