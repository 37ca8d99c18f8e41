/** How many inputs a property is tried on: so many before each commit, and ten times as many in `make fuzz`. */
export function runs(few: number): number {
  return process.env.SIPTRUST_FUZZ_RUNS === undefined ? few : few * 10;
}
