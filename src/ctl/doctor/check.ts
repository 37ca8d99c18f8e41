import type { Finding } from './finding.js';
import type { Site } from './site.js';

/** One thing that doctor looks for. */
export interface Check {
  readonly name: string;
  /** What is right, in one line. */
  readonly asks: string;
  readonly look: (site: Site) => readonly Finding[];
}
