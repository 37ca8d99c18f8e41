/** Who asks over HTTP: nobody in particular, a client whose certificate the policy names, or the bearer of a token. */

import { isLoopback } from '../../net/address/index.js';
import type { ClientCertificate, Role } from '../../policy/settings/index.js';
import { Failures } from './failures.js';
import type { Tokens } from './tokens.js';

/** What a request shows. */
export interface Shown {
  /** Address of the other end. */
  readonly address: string;
  readonly authorization: string | undefined;
  /** SHA-256 of the certificate whose key the TLS handshake proved, lower-case hexadecimal. */
  readonly certificate: string | undefined;
}

export interface Caller {
  /** undefined: none; whoever comes from another host without a credential. */
  readonly role: Role | undefined;
  /** `token noc`, `certificate noc`. */
  readonly credential?: string;
}

/** The status to answer with: 401 for a credential that is wrong, 429 for too many of them. */
export interface Refused {
  readonly status: 401 | 429;
}

export interface CredentialsOptions {
  /** Asked at each request: a reload may change them. */
  readonly certificates: () => readonly ClientCertificate[];
  readonly tokens: Tokens | undefined;
  readonly clock: () => number;
  /** Told of each credential that was refused, and why. Must not throw. */
  readonly onRefused?: (why: RefusedWhy, address: string) => void;
}

/** `certificate`: the policy names it, and its time is over or yet to come. */
export type RefusedWhy = 'token' | 'scheme' | 'certificate' | 'rate';

/** Most characters of a header field that can be a credential. */
const LONGEST_AUTHORIZATION = 200;

/** Who shows what: client certificates, tokens, and what the machine itself may do without. */
export class Credentials {
  readonly #options: CredentialsOptions;
  readonly #failures: Failures;

  constructor(options: CredentialsOptions) {
    this.#options = options;
    this.#failures = new Failures(options.clock);
  }

  /** In the same turn unless a token has to be hashed; scripts, which show nothing, never wait. */
  callerOf(shown: Shown): Caller | Refused | Promise<Caller | Refused> {
    if (shown.authorization !== undefined) return this.#bearer(shown.authorization, shown.address);
    if (shown.certificate !== undefined) {
      const found = this.#options.certificates().find(({ sha256 }) => sha256 === shown.certificate);
      // One that the policy does not name is no credential, and no attempt at one: proxies have certificates, too.
      if (found !== undefined) return this.#certificate(found, shown.address);
    }
    return { role: isLoopback(shown.address) ? 'script' : undefined };
  }

  #certificate({ name, role, notBefore, notAfter }: ClientCertificate, address: string): Caller | Refused {
    const now = this.#options.clock();
    if (now < notBefore || now > notAfter) return this.#refused('certificate', address);
    return { role, credential: `certificate ${name}` };
  }

  #bearer(authorization: string, address: string): Caller | Refused | Promise<Caller | Refused> {
    const { tokens } = this.#options;
    const text = /^Bearer +([A-Za-z0-9_-]+) *$/i.exec(authorization.slice(0, LONGEST_AUTHORIZATION))?.[1];
    if (text === undefined || tokens === undefined) return this.#refused('scheme', address);
    const known = tokens.known(text);
    if (known !== undefined) return { role: known.role, credential: `token ${known.name}` };
    if (this.#failures.blocked(address)) return this.#refused('rate', address);
    return tokens.check(text).then(
      (token) => {
        if (token === undefined) return this.#refused('token', address);
        if (token === 'busy') return this.#refused('rate', address);
        return { role: token.role, credential: `token ${token.name}` };
      },
      () => this.#refused('token', address),
    );
  }

  #refused(why: RefusedWhy, address: string): Refused {
    if (why !== 'rate') this.#failures.add(address);
    this.#options.onRefused?.(why, address);
    return { status: why === 'rate' ? 429 : 401 };
  }
}
