/** siptrustd as an operator runs it: a policy file, and the built program. */

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { ENGINE_OPTIONS } from '../../../src/engine-options.js';
import { callUnix, RemoteError } from '../../../src/rpc/wire/client.js';
import { Child } from './child.js';
import { eventually } from './places.js';

const PROGRAM = process.env.SIPTRUST_DAEMON ?? fileURLToPath(new URL('../../../dist/main.js', import.meta.url));

/** Machines under load start and answer late. */
const READY_MS = 90_000;
const CALL_MS = 60_000;

/** A policy as the file says it. */
export type Policy = Readonly<Record<string, unknown>>;

/** An agreement, as the file has it. */
export type Terms = Readonly<Record<string, unknown>> & { readonly name: string; readonly anchors: readonly string[] };

/** What is in force where a test asks for nothing else: agreements with the partners A and B. */
export interface StandardPolicy extends Policy {
  readonly agreements: readonly [Terms, Terms];
}

/** The same, with more said of partner B: where he is (`targets`), for one. */
export function withPartnerB(standard: StandardPolicy, terms: object): StandardPolicy {
  const [a, b] = standard.agreements;
  return { ...standard, agreements: [a, { ...b, ...terms }] };
}

/** One line of the decision log. */
export type Decision = Readonly<Record<string, unknown>>;

export class Daemon {
  readonly host: string;
  readonly #directory: string;
  readonly #name: string;
  #child: Child | undefined;

  /** `name` tells several sidecars of one test apart. */
  constructor(host: string, directory: string, name = 'siptrust') {
    this.host = host;
    this.#directory = directory;
    this.#name = name;
  }

  /** Writes the policy, with listeners (and `more` of them) and logs of its own; a running daemon reads it when told to. */
  write(policy: Policy, more: Readonly<Record<string, string>> = {}): void {
    const listen = { ...more, netstring: `${this.host}:7060`, http: `${this.host}:7061`, unix: this.#file('sock') };
    const daemon = policy.daemon as object | undefined;
    const log = { decisions: this.#file('decisions'), level: 'info' };
    writeFileSync(this.#file('yaml'), stringify({ ...policy, daemon: { ...daemon, listen, log } }), { mode: 0o600 });
  }

  async start(): Promise<void> {
    if (!existsSync(PROGRAM)) throw new Error(`${PROGRAM} is not built: npm run build`);
    const child = new Child('node', [...ENGINE_OPTIONS, PROGRAM, '--config', this.#file('yaml')], {
      cwd: this.#directory,
    });
    this.#child = child;
    const ready = () => {
      if (child.ended) throw new Error(`siptrustd ended:\n${child.output}`);
      return this.#ready();
    };
    // Where it ends instead, that is told at once: the time is for machines that are busy.
    await eventually('siptrustd is ready', ready, READY_MS);
  }

  /** Puts another policy in force, and waits until it is. */
  async reload(policy: Policy): Promise<void> {
    this.write(policy);
    await this.call('agreement.reload');
  }

  /** @throws where the daemon answers with an error */
  async call(method: string, params: unknown = {}): Promise<Readonly<Record<string, unknown>>> {
    try {
      return (await callUnix(this.socket, method, params, CALL_MS)) as Readonly<Record<string, unknown>>;
    } catch (error) {
      throw new Error(`${method}: ${error instanceof RemoteError ? JSON.stringify(error) : String(error)}`);
    }
  }

  /** Path of the operators' unix socket. */
  get socket(): string {
    return this.#file('sock');
  }

  /** All decisions so far, oldest first. */
  decisions(): readonly Decision[] {
    const file = this.#file('decisions');
    if (!existsSync(file)) return [];
    const lines = readFileSync(file, 'utf8').split('\n');
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Decision);
  }

  /** All decisions about what came from this source (address:port), as soon as there is one that `like` fits. */
  decisionsOn(source: string, like: (decision: Decision) => boolean = () => true): Promise<readonly Decision[]> {
    return eventually(`a decision about ${source}`, () => {
      const found = this.decisions().filter((decision) => decision.src === source);
      return found.some(like) && found;
    });
  }

  /** @throws where it was never started */
  get pid(): number {
    if (this.#child === undefined) throw new Error('siptrustd is not started');
    return this.#child.pid;
  }

  get log(): string {
    return this.#child?.output ?? '';
  }

  signal(name: NodeJS.Signals): void {
    this.#child?.signal(name);
  }

  async stop(name: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    await this.#child?.stop(name);
  }

  async #ready(): Promise<boolean> {
    try {
      return (await fetch(`http://${this.host}:7061/ready`, { headers: { connection: 'close' } })).ok;
    } catch {
      return false;
    }
  }

  #file(ending: string): string {
    return join(this.#directory, `${this.#name}.${ending}`);
  }
}
