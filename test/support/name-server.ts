/** A real DNS server (bind9) with zones that a test writes, on a loopback port of its own. */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface NameServer {
  readonly address: string;
  readonly port: number;
  /** `127.0.0.1:5353`. */
  readonly text: string;
  /** Replaces the records of a zone; it is in force when this returns. */
  write(zone: string, records: string): Promise<void>;
  /** Freezes the server: it hears and says nothing. */
  pause(): void;
  resume(): void;
  close(): Promise<void>;
}

/** Why no server can be run here; undefined: one can. */
export function noNameServer(): string | undefined {
  try {
    execFileSync('named', ['-v'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'named (package bind9) is not installed';
  }
}

/** A zone file: SOA and NS in front of the records. */
export function zoneText(zone: string, records: string, serial = 1): string {
  return [
    `$ORIGIN ${zone}.`,
    '$TTL 60',
    `@ IN SOA ns.${zone}. hostmaster.${zone}. ${serial} 3600 600 86400 60`,
    `@ IN NS ns.${zone}.`,
    'ns IN A 127.0.0.1',
    records,
    '',
  ].join('\n');
}

/** A UDP port that was free a moment ago. */
async function freePort(): Promise<number> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  return port;
}

/** Starts a server for these zones (name to records). */
export async function startNameServer(zones: Readonly<Record<string, string>>): Promise<NameServer> {
  const directory = mkdtempSync(join(tmpdir(), 'siptrust-named-'));
  const port = await freePort();
  const file = (zone: string): string => join(directory, `${zone}.zone`);
  for (const [zone, records] of Object.entries(zones)) writeFileSync(file(zone), zoneText(zone, records));
  const declared = Object.keys(zones).map((zone) => `zone "${zone}" { type primary; file "${file(zone)}"; };`);
  const config = join(directory, 'named.conf');
  const options = [
    `directory "${directory}"; pid-file none; session-keyfile none; listen-on port ${port} { 127.0.0.1; };`,
    'listen-on-v6 { none; }; recursion no; dnssec-validation no; empty-zones-enable no; minimal-responses no;',
  ];
  writeFileSync(config, `options { ${options.join(' ')} };\ncontrols { };\n${declared.join('\n')}\n`);
  const child = spawn('named', ['-g', '-n', '1', '-c', config], { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  await heard(child, () => log, /all zones loaded[\s\S]*running/);
  let serial = 1;
  return {
    address: '127.0.0.1',
    port,
    text: `127.0.0.1:${port}`,
    write: async (zone, records) => {
      serial += 1;
      writeFileSync(file(zone), zoneText(zone, records, serial));
      child.kill('SIGHUP');
      await heard(child, () => log, new RegExp(`zone ${zone}/IN: loaded serial ${serial}`));
    },
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    close: async () => {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGCONT');
      child.kill('SIGTERM');
      if (child.exitCode === null) await ended;
      rmSync(directory, { recursive: true });
    },
  };
}

/** Settles when the server has logged this. */
function heard(child: ChildProcess, log: () => string, wanted: RegExp): Promise<void> {
  return new Promise((resolve, reject) => {
    const look = (): void => {
      if (!wanted.test(log())) return;
      child.stderr?.off('data', look);
      child.off('exit', gone);
      resolve();
    };
    const gone = (): void => reject(new Error(`named ended: expected ${wanted}, found\n${log()}`));
    child.stderr?.on('data', look);
    child.once('exit', gone);
    look();
  });
}
