/** A siptrustd and a real Prometheus that scrapes it, in a directory of their own; gone with the test. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { Child } from '../support/live/child.js';
import { eventually, freePort, runDirectory } from '../support/live/places.js';
import { http } from '../support/wires.js';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const READY_MS = 60_000;

export const get = (port: number, path: string) => http(port, { path, method: 'GET' });

export class OperateStage {
  readonly #directory = runDirectory();
  readonly #children: Child[] = [];

  file(name: string): string {
    return join(this.#directory.path, name);
  }

  write(name: string, content: string): void {
    writeFileSync(this.file(name), content, { mode: 0o600 });
  }

  /** What the policy says besides the listeners; the daemon is started by `startDaemon`. */
  writePolicy(agreements: readonly object[], port: number): void {
    const listen = { netstring: 'off', http: `127.0.0.1:${port}`, unix: 'ctl.sock' };
    const daemon = { listen, state: { file: 'state.db' } };
    this.write('siptrust.yaml', stringify({ own_domains: ['a.example'], agreements, daemon }));
  }

  async startDaemon(): Promise<Child> {
    const child = new Child('node', [MAIN, '--config', this.file('siptrust.yaml')]);
    this.#children.push(child);
    await eventually('siptrustd is ready', () => child.ended || child.output.includes('siptrustd is ready'), READY_MS);
    if (child.ended) throw new Error(child.output);
    return child;
  }

  /** Scrapes the daemon on that port each second; with rules, evaluates them as often. The port of Prometheus. */
  async startPrometheus(target: number, rules: readonly string[] = []): Promise<number> {
    const port = await freePort();
    const config = {
      global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
      rule_files: rules,
      scrape_configs: [{ job_name: 'siptrust', static_configs: [{ targets: [`127.0.0.1:${target}`] }] }],
    };
    this.write('prometheus.yml', stringify(config));
    const child = new Child('prometheus', [
      `--config.file=${this.file('prometheus.yml')}`,
      `--storage.tsdb.path=${this.file('tsdb')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ]);
    this.#children.push(child);
    const ready = async (): Promise<boolean> => {
      if (child.ended) throw new Error(`prometheus ended:\n${child.output}`);
      return (await get(port, '/-/ready').catch(() => ({ status: 0 }))).status === 200;
    };
    await eventually('Prometheus is ready', ready, READY_MS);
    return port;
  }

  async stop(): Promise<void> {
    for (const child of this.#children.splice(0)) await child.stop();
    this.#directory.remove();
  }
}
