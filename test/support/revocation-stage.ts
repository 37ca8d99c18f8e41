/** A partner with a CA, an HTTP server for its lists, and a siptrust in one process that trusts it. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Logger } from '../../src/log/logger.js';
import type { RevocationSettings } from '../../src/policy/settings/daemon-settings.js';
import { DEFAULT_SETTINGS } from '../../src/policy/settings/settings.js';
import { PolicyHolder } from '../../src/state/policy/holder.js';
import { Revocation } from '../../src/state/revocation/revocation.js';
import type { SharedFetches } from '../../src/state/revocation/shared-fetches.js';
import { type TrustState, trustState } from '../../src/state/trust/trust-state.js';
import type { Agreement } from '../../src/trust/agreement/agreement.js';
import type { Snapshot } from '../../src/trust/agreement/snapshot.js';
import type { Verdict } from '../../src/trust/verdict/verdict.js';
import { DAY, ext, type Issued, leaf, root } from './certificates.js';
import { presenting, sent } from './evidence.js';
import type { HttpServer } from './http-server.js';
import { agreementWith, snapshotWith } from './snapshot.js';

export const SECOND = 1000;

/** The time of the tests is the real one: sources keep their own timers. */
export const now = (): number => Date.now();

export interface Partner {
  readonly ca: Issued;
  /** A certificate for b.example that names these places. */
  peer(places?: { readonly crls?: readonly string[]; readonly ocsp?: string | readonly string[] }): Issued;
}

export function partner(subject = 'O=Operator B,CN=Operator B CA'): Partner {
  const times = { notBefore: now() - DAY, notAfter: now() + 100 * DAY };
  const ca = root({ subject, ...times });
  return {
    ca,
    peer: ({ crls = [], ocsp } = {}) =>
      leaf(ca, {
        ...times,
        extensions: { altNames: ext.altNames([{ dns: 'b.example' }]) },
        add: [
          ...(crls.length === 0 ? [] : [ext.crlPoints(crls.map((uri) => ({ names: [{ uri }] })))]),
          ...(ocsp === undefined ? [] : [ext.ocspResponder(...[ocsp].flat())]),
        ],
      }),
  };
}

export interface Line {
  readonly level: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface StageOptions {
  readonly agreement?: Partial<Agreement>;
  readonly snapshot?: Partial<Snapshot>;
  readonly settings?: Partial<RevocationSettings>;
  readonly directory?: string;
  readonly shared?: SharedFetches;
}

/** siptrust over one agreement with a partner, fetching from one server. */
export class Stage {
  readonly #use: { snapshot: Snapshot };

  readonly log: Line[] = [];
  private constructor(
    readonly state: TrustState,
    readonly revocation: Revocation,
    log: Line[],
    use: { snapshot: Snapshot },
  ) {
    this.#use = use;

    this.log = log;
  }

  static async open({ ca }: Partner, server: HttpServer, options: StageOptions = {}): Promise<Stage> {
    const agreement = agreementWith({
      anchors: { client: [ca.facts], server: [ca.facts] },
      revocation: 'hard',
      ...options.agreement,
    });
    const use = { snapshot: snapshotWith([agreement], options.snapshot) };
    const settings: RevocationSettings = {
      ...DEFAULT_SETTINGS.revocation,
      ...server.rules,
      fetch: true,
      directory: options.directory,
      interval: 1,
      timeout: 5,
      ...options.settings,
    };
    const holder = PolicyHolder.open((revision) => {
      const snapshot = Object.freeze({ ...use.snapshot, revision });
      return { ok: true, snapshot, settings: { ...DEFAULT_SETTINGS, revocation: settings }, warnings: [] };
    }, now());
    if ('problems' in holder) throw new Error('expected a policy');
    const log: Line[] = [];
    const line =
      (level: string) =>
      (message: string, fields: object = {}) =>
        void log.push({ level, message, fields: { ...fields } });
    const logger: Logger = { error: line('error'), warn: line('warn'), info: line('info'), debug: line('debug') };
    const revocation = await Revocation.open({
      settings,
      snapshot: holder.snapshot,
      clock: now,
      log: logger,
      random: () => 0.5,
      shared: options.shared,
    });
    const state = trustState({ policy: holder, clock: now, revocation });
    revocation.start(() => state.changes.revocationChanged());
    return new Stage(state, revocation, log, use);
  }

  /** The verdict on a connection with this certificate, as `trust.peer` gives it. */
  ask(certificate: Issued, chain: readonly Issued[] = []): Verdict {
    return this.state.judge.verdict(presenting(certificate.facts, sent(chain.map(({ facts }) => facts))));
  }

  told(certificate: Issued): string {
    const { verdict, findings } = this.ask(certificate);
    return `${verdict} ${findings[0]?.code}`;
  }

  /** Another policy in force. */
  async reload(snapshot: Snapshot): Promise<void> {
    this.#use.snapshot = snapshot;
    await this.state.changes.reload();
  }

  async errors(): Promise<readonly string[]> {
    return (await this.revocation.rows()).map(({ error }) => error);
  }

  close(): Promise<void> {
    return this.revocation.close();
  }
}

export function temporaryDirectory(): { readonly path: string; readonly remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'siptrust-revocation-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
