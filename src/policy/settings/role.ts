/** Who may ask what: each role may ask everything that the roles before it may. */
export const ROLES = ['script', 'viewer', 'operator'] as const;

/** `script`: the questions of a routing script; `viewer`: reading; `operator`: changes. */
export type Role = (typeof ROLES)[number];

/** Whether who has `held` may do what takes `needed`. */
export function includesRole(held: Role, needed: Role): boolean {
  return ROLES.indexOf(held) >= ROLES.indexOf(needed);
}

/** Who gets `GET /metrics`: programs of this machine, who shows a viewer's credential, nobody. */
export const METRICS_ACCESS = ['open', 'viewer', 'off'] as const;
