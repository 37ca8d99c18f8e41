/** What an expression for clean messages is for. */

/** Whether the lines that the list removes may stand in the message (it is clean once they are gone). */
export type Leniency = 'as it is' | 'once listed fields are gone';

export interface Purpose {
  /** Whoever is outside may say nothing twice that stands once; our own side is not held to that. */
  readonly direction: 'in' | 'out';
  readonly leniency: Leniency;
}
