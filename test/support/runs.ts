/** `make fuzz`: as much as a night has room for. */
export const LONG = process.env.SIPTRUST_FUZZ_RUNS !== undefined;

/** How many inputs a property is tried on: so many before each commit, and ten times as many in `make fuzz`. */
export function runs(few: number): number {
  return LONG ? few * 10 : few;
}
