/** PostgreSQL has no NUL in texts, and no half of a pair; certificates and files of others have what they like. */
export function text(foreign: string): string {
  return foreign.replace(/\0|\p{Surrogate}/gu, '\uFFFD');
}
