/** Asks a policy file, or the daemon where none is named. */
export type Ask = (
  method: string,
  params: unknown,
  options: { readonly config?: string | undefined },
) => Promise<unknown>;

/** Prints an answer as people see it, or as JSON. */
export type Print = <Answer>(answer: Answer, shown?: (answer: Answer) => string) => void;

/** Of an option that may be given more than once: all that it was given. */
export function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}
