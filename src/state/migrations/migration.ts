/**
 * One step of the schema. Once it was released it is never changed, and it only adds: programs of the version before
 * run beside those of this one.
 */
export interface Migration {
  /** 1, 2, 3, ... */
  readonly version: number;
  readonly name: string;
  readonly sql: string;
  /** What the role of the daemons may do with what this step made. @param role quoted */
  readonly grants: (role: string) => string;
}
