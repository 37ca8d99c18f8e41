/** The profiles of Kamailio's tls.cfg. */

export interface TlsProfile {
  /** `server` or `client`, and what follows: `default`, `192.0.2.1:5061`, `any`. */
  readonly role: 'server' | 'client';
  readonly name: string;
  readonly line: number;
  /** By key, in lower case; `verify_certificate` and its kin without quotes. */
  readonly keys: Readonly<Record<string, string>>;
}

/** The profiles of a tls.cfg of Kamailio, with the lines at which they begin. */
export function tlsProfiles(text: string): readonly TlsProfile[] {
  const profiles: { role: TlsProfile['role']; name: string; line: number; keys: Record<string, string> }[] = [];
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.replace(/^\s*[#;].*$/, '').trim();
    const head = /^\[\s*(server|client)\s*:([^\]]+)\]$/i.exec(line);
    if (head !== null) {
      const role = head[1]?.toLowerCase() === 'server' ? 'server' : 'client';
      profiles.push({ role, name: (head[2] ?? '').trim(), line: index + 1, keys: {} });
      continue;
    }
    const pair = /^([a-z_]+)\s*=(.*)$/i.exec(line);
    const last = profiles.at(-1);
    if (pair !== null && last !== undefined)
      last.keys[(pair[1] ?? '').toLowerCase()] = unquoted((pair[2] ?? '').replace(/\s#.*$/, '').trim());
  }
  return profiles;
}

function unquoted(value: string): string {
  return value.replace(/^(["'])(.*)\1$/, '$2');
}

/** Kamailio's words for yes. */
export function isOn(value: string | undefined): boolean {
  return /^(?:1|yes|true|on|enabled?)$/i.test(value ?? '');
}
