/** OpenSIPS as an operator runs it: plugin/opensips/ with its sample, addresses and certificates of the test. */

import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Child } from './child.js';
import { accepts, eventually } from './places.js';

const PLUGIN = fileURLToPath(new URL('../../../plugin/opensips/', import.meta.url));

/** A program and its modules. */
export interface OpensipsBuild {
  readonly version: string;
  readonly program: string;
  readonly modules: string;
}

/** The OpenSIPS that SIPTRUST_OPENSIPS names; or why there is none. No package of Debian has one. */
export function opensipsBuild(): OpensipsBuild | { readonly missing: string } {
  const program = process.env.SIPTRUST_OPENSIPS ?? '';
  if (program === '')
    return { missing: 'SIPTRUST_OPENSIPS names no opensips program, and Debian has no package of it' };
  if (!existsSync(program)) return { missing: `SIPTRUST_OPENSIPS: ${program} is not there` };
  const beside = [join(dirname(program), 'modules'), join(dirname(program), '../lib64/opensips/modules')];
  const folders = [
    process.env.SIPTRUST_OPENSIPS_MODULES ?? '',
    ...beside,
    join(dirname(program), '../lib/opensips/modules'),
  ];
  const modules = folders.find((folder) => folder !== '' && existsSync(folder));
  if (modules === undefined)
    return { missing: `no modules beside ${program}: SIPTRUST_OPENSIPS_MODULES names their folder` };
  const text = execFileSync(program, ['-V'], { encoding: 'utf8' });
  return { version: /opensips ([0-9.]+)/.exec(text)?.[1] ?? 'unknown', program, modules };
}

export interface OpensipsOptions {
  readonly build: OpensipsBuild;
  readonly directory: string;
  /** Where siptrustd answers. */
  readonly sidecar: string;
  /** The proxy as its own network sees it, as other networks see it, and the called party of its network. */
  readonly inside: string;
  readonly outside: string;
  readonly called: string;
  /** A directory with own.pem, own.key and partners.pem. */
  readonly tls: string;
  /** Settings of siptrust.cfg other than these, as the file writes them. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Changes the script before it runs. */
  readonly edit?: (sample: string) => string;
  /** Changes siptrust.cfg before it runs. */
  readonly plugin?: (text: string) => string;
  readonly tcpWorkers?: number;
  /** Whole seconds that siptrustd has for an answer. The file says 1; where a machine is busy, that is little. */
  readonly patience?: number;
}

/** The text with each of these replaced. @throws where one is not there */
export function replaced(text: string, pairs: readonly (readonly [string | RegExp, string])[]): string {
  return pairs.reduce((held, [from, to]) => {
    const there = typeof from === 'string' ? held.includes(from) : from.test(held);
    if (!there) throw new Error(`the script does not hold ${from}`);
    return typeof from === 'string' ? held.replaceAll(from, () => to) : held.replace(from, () => to);
  }, text);
}

export class Opensips {
  readonly #child: Child;

  private constructor(child: Child) {
    this.#child = child;
  }

  /** @throws with the log when it does not come up */
  static async start(options: OpensipsOptions): Promise<Opensips> {
    const { build, directory, sidecar, inside, outside, called, tls, settings = {}, edit = (text) => text } = options;
    const { tcpWorkers = 2, patience = 4, plugin: change = (text: string) => text } = options;
    cpSync(PLUGIN, directory, { recursive: true });
    const own: Readonly<Record<string, string>> = {
      siptrust_sidecars: `"http://${sidecar}:7061/rpc"`,
      siptrust_inside_sockets: `"|udp:${inside}:5060|"`,
      siptrust_inside_networks: `"${called}/32"`,
      siptrust_inside_hops: `"${called}/32"`,
      ...settings,
    };
    const plugin = join(directory, 'siptrust.cfg');
    const pairs = Object.entries(own).map(
      ([name, value]) => [new RegExp(`(?<=\\$var\\(${name}\\) = ).*(?=;)`), value] as const,
    );
    const limits = ['connection_timeout', 'curl_timeout'].map(
      (name) => [`"rest_client", "${name}", 1)`, `"rest_client", "${name}", ${patience})`] as const,
    );
    writeFileSync(plugin, change(replaced(readFileSync(plugin, 'utf8'), [...pairs, ...limits])));
    const script = join(directory, 'sample.cfg');
    const sample = replaced(readFileSync(script, 'utf8'), [
      ['sip:127.0.0.1:5080', `sip:${called}:5060`],
      ['127.0.0.1:5060', `${inside}:5060`],
      ['127.0.0.2:', `${outside}:`],
      ['/usr/lib/x86_64-linux-gnu/opensips/modules/', `${build.modules}/`],
      ['/etc/opensips/tls', tls],
      ['tcp_workers = 2', `tcp_workers = ${tcpWorkers}`],
      ...(build.version.startsWith('3.4')
        ? ([['loadmodule "rr.so"', 'loadmodule "event_route.so"\nloadmodule "rr.so"']] as const)
        : []),
      ...(build.version.startsWith('4.') ? ([['#tcp_threads', 'tcp_threads']] as const) : []),
    ]);
    writeFileSync(script, edit(sample));
    const opensips = new Opensips(
      new Child(build.program, ['-F', '-m', '256', '-M', '16', '-w', directory, '-f', script], { cwd: directory }),
    );
    try {
      await eventually('OpenSIPS takes connections', () => {
        if (opensips.#child.ended) throw new Error('it has ended');
        return accepts(outside, 5061);
      });
    } catch (error) {
      await opensips.stop();
      throw new Error(`OpenSIPS did not start:\n${opensips.log}`, { cause: error });
    }
    return opensips;
  }

  /** Everything it has logged. */
  get log(): string {
    return this.#child.output;
  }

  get running(): boolean {
    return !this.#child.ended;
  }

  stop(): Promise<void> {
    return this.#child.stop();
  }
}
