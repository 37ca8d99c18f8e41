/** What the methods answer, as far as the page shows it (docs/rpc.md). */

export interface WhoAmI {
  readonly role: 'script' | 'viewer' | 'operator';
  readonly credential: string;
}

export interface PartnerRow {
  readonly name: string;
  readonly domains: readonly string[];
  readonly mechanism: string;
  readonly directions: readonly string[];
  readonly state: string;
  readonly trust: 'trusted' | 'untrusted' | 'unasked';
  readonly verdict: string;
  readonly would: string;
  readonly reason: string;
  readonly detail: string;
  readonly id: string;
  readonly at: string;
  readonly connections: number;
  readonly peers: number;
  readonly messages: number;
  readonly ends: string;
  readonly ends_at: string;
  readonly days: number | '';
}

export interface PartnerList {
  readonly revision: number;
  readonly total: number;
  readonly trusted: number;
  readonly untrusted: number;
  readonly unasked: number;
  readonly matched: number;
  readonly rows: readonly PartnerRow[];
}

export interface Spell {
  readonly method: string;
  readonly direction: string;
  readonly verdict: string;
  readonly would: string;
  readonly reason: string;
  readonly detail: string;
  readonly id: string;
  readonly first: string;
  readonly last: string;
  readonly count: number;
}

export interface Partner extends PartnerRow {
  readonly history: readonly Spell[];
  readonly certificates: readonly { readonly subject: string; readonly not_after: string }[];
}

export interface HeaderRow {
  readonly name: string;
  readonly untrusted_in: string;
  readonly untrusted_out: string;
  readonly trusted_in: string;
  readonly trusted_out: string;
  readonly overrides: readonly string[];
  readonly condition: string;
  readonly clause: string;
}

export interface Decision {
  readonly id: string;
  readonly time: string;
  readonly method: string;
  readonly direction: string;
  readonly agreement: string;
  readonly verdict: string;
  readonly action: string;
  readonly reason: string;
  readonly detail: string;
  readonly source: string;
  readonly next_hop: string;
}

export interface Explanation {
  readonly summary: string;
  readonly checks: readonly {
    readonly step: number;
    readonly name: string;
    readonly compared: string;
    readonly outcome: string;
    readonly clause: string;
  }[];
  readonly reasons: readonly {
    readonly code: string;
    readonly text: string;
    readonly detail: string;
    readonly clause: string;
  }[];
}

export interface Status {
  readonly status: string;
  readonly revision: number;
  readonly version: string;
  readonly agreements: number;
  readonly loaded_at: string;
  readonly last_reload: string;
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
  readonly uptime: number;
  readonly expiry: { readonly ended: number; readonly ending: number };
}

export interface Candidate {
  readonly candidate: string;
  readonly since?: string;
  readonly agreements?: number;
  readonly asked?: number;
  readonly changed?: number;
  readonly waiting?: number;
  readonly left_out?: number;
  readonly changes?: readonly {
    readonly partner: string;
    readonly direction: string;
    readonly count: number;
    readonly before: string;
    readonly after: string;
    readonly reason_before: string;
    readonly reason_after: string;
    readonly removed: readonly string[];
    readonly kept: readonly string[];
    readonly last_id: string;
  }[];
}

export interface PolicyEvent {
  readonly kind: 'start' | 'reload' | 'refused' | 'renewed';
  readonly revision: number;
  readonly at: string;
  readonly by: string;
  readonly count: number;
  readonly problems: number;
  readonly differences: readonly {
    readonly subject: string;
    readonly change: string;
    readonly key: string;
    readonly before: string;
    readonly after: string;
  }[];
  readonly more: boolean;
}

export interface AuditLine {
  readonly time: string;
  readonly method: string;
  readonly params: unknown;
  readonly outcome: string;
  readonly peer: string;
  readonly credential: string;
  readonly by: string;
  readonly old_revision: number;
  readonly new_revision: number;
}

export interface Pin {
  readonly agreement: string;
  readonly state: 'observed' | 'approved' | 'enforced';
  readonly pin: string;
  readonly subject: string;
  readonly identities: readonly string[];
  readonly count: number;
  readonly first_seen: string;
  readonly last_seen: string;
  readonly not_after: string;
}

export interface RevocationRow {
  readonly kind: string;
  readonly source: string;
  readonly issuer: string;
  readonly this_update: string;
  readonly next_update: string;
  readonly entries: number | '';
  readonly state: string;
  readonly checked: string;
  readonly error: string;
}
