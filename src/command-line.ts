/** The command line of siptrustd: what it takes, and `--check`. */

import { parseArgs } from 'node:util';
import { loadPolicy } from './policy/loading/index.js';
import { counted, visible } from './printable.js';
import { VERSION } from './version.js';

const DEFAULT_CONFIG = '/etc/siptrust/siptrust.yaml';
const HELP = `siptrustd ${VERSION}: tells a SIP proxy whether the network at the other end of a hop is trusted.

Usage: siptrustd [--config FILE] [--check]

  --config FILE   policy file (default ${DEFAULT_CONFIG})
  --check         read the policy, print its problems as file:line:column, exit 0 (good) or 1
  --version       print the version
  --help          print this text

SIGHUP reads the policy again; SIGUSR1 opens the log files again, after they were moved away; SIGTERM and SIGINT stop
the daemon.
`;

/** What was given, or the exit code where the command line was all there was to do. */
export function flags(): { config: string; check: boolean } | number {
  try {
    const { values } = parseArgs({
      options: {
        config: { type: 'string', default: DEFAULT_CONFIG },
        check: { type: 'boolean', default: false },
        version: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) process.stdout.write(HELP);
    else if (values.version) process.stdout.write(`siptrustd ${VERSION}\n`);
    else return values;
    return 0;
  } catch (error) {
    process.stderr.write(`siptrustd: ${error instanceof Error ? error.message : String(error)}\n${HELP}`);
    return 2;
  }
}

/** Reads the policy and prints what is wrong with it; the exit code. */
export function check(config: string): number {
  const result = loadPolicy(config, 1, Date.now());
  const lines = result.ok ? result.warnings : result.problems;
  for (const line of lines) process.stderr.write(`${visible(line)}\n`);
  if (!result.ok) return 1;
  const { agreements, interfaces } = result.snapshot;
  process.stdout.write(
    `${config}: ok, ${counted(agreements.length, 'agreement')}, ${counted(interfaces.length, 'interface')}\n`,
  );
  return 0;
}
