/** What the commands about a certificate of ours are told on the command line. */

import type { CertificateCache } from '../../state/verdicts/index.js';
import type { RequestOptions } from '../certificates/index.js';
import { type Print, Refusal } from '../terminal/index.js';
import { type Credential, checkSecret } from './cmp.js';

export interface EnrolContext {
  readonly certificates: CertificateCache;
  readonly print: Print;
  readonly exit: (code: number) => void;
}

export interface Afterwards {
  readonly then?: string;
  readonly check?: string;
  readonly dryRun: boolean;
}

export interface CmpOptions extends Afterwards {
  readonly server: string;
  readonly ref?: string;
  readonly secret?: string;
  readonly cert?: string;
  readonly certKey?: string;
  readonly trusted?: string;
  readonly tlsTrusted?: string;
  readonly recipient?: string;
}

export interface EnrolOptions extends CmpOptions, RequestOptions {
  readonly out: string;
  readonly request: string;
}

export interface RenewOptions extends CmpOptions {
  readonly certificate: string;
  readonly key: string;
  readonly keepKey: boolean;
  readonly nextKey?: string;
  readonly algorithm: string;
}

/** Of a question in CMP what all commands share: who is asked, and whom its answers are believed from. */
export function caPart({ server, trusted, tlsTrusted, recipient }: CmpOptions) {
  return {
    server,
    ...(trusted === undefined ? {} : { trusted }),
    ...(tlsTrusted === undefined ? {} : { tlsTrusted }),
    ...(recipient === undefined ? {} : { recipient }),
  };
}

/** What the CA knows us by. @throws {Refusal} neither of the two ways, or both */
export function credentialOf({ ref, secret, cert, certKey }: CmpOptions): Credential {
  if (ref !== undefined && secret !== undefined && cert === undefined)
    return { reference: ref, secret: checkSecret(secret) };
  if (cert !== undefined && certKey !== undefined && secret === undefined) return { cert, key: certKey };
  throw new Refusal('expected --ref with --secret, or --cert with --cert-key: the CA has to know who asks', 2);
}
