/** Ranges of TCP and UDP ports. */

/** From `first` to `last`, both of them in it. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

const PORT = '([1-9][0-9]{0,4})';
const RANGE = new RegExp(`^${PORT}(?:-${PORT})?$`);

/** Reads `5062` or `20000-20099`. Port 0 stands for no port at all; gives undefined for it and for all that is no range. */
export function parsePortRange(text: string): PortRange | undefined {
  const match = RANGE.exec(text);
  const first = Number(match?.[1]);
  const last = Number(match?.[2] ?? match?.[1]);
  return first <= last && last <= 65535 ? { first, last } : undefined;
}

/** Whether one of the ranges holds the port; a port that nobody told is in none. */
export function holdsPort(ranges: readonly PortRange[], port: number | undefined): boolean {
  return port !== undefined && ranges.some(({ first, last }) => first <= port && port <= last);
}

/** As the policy would write them. */
export function portsText(ranges: readonly PortRange[]): string {
  return ranges.map(({ first, last }) => (first === last ? String(first) : `${first}-${last}`)).join(', ');
}
