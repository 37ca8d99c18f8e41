/** Checks of the policy, the daemon, the lists and the clock. */

import { VERSION } from '../../version.js';
import { instant } from '../../x509/der/index.js';
import { type Check, type Finding, finding } from './finding.js';
import type { Site } from './site.js';

/** Warnings of a policy that are told one by one. */
const MOST_WARNINGS = 5;
/** Between two clocks, or behind a file's time: what NTP would not leave. */
const MOST_SKEW_MS = 5000;

export const policyChecks: readonly Check[] = [
  {
    name: 'policy',
    asks: 'the policy file is good',
    look: ({ policy, options }) => {
      if (!policy.ok) {
        const [first = '', ...more] = policy.problems;
        const text = more.length === 0 ? first : `${first} (and ${more.length} more)`;
        return [finding('outage', text, `siptrustd --check --config ${options.config}`)];
      }
      const { warnings } = policy;
      const told = warnings.slice(0, MOST_WARNINGS).map((text) => finding('note', text, 'see docs/policy.md'));
      const rest = warnings.length - told.length;
      return rest > 0
        ? [...told, finding('note', `${rest} more warnings`, `siptrustd --check --config ${options.config}`)]
        : told;
    },
  },
  {
    name: 'daemon',
    asks: 'siptrustd answers',
    look: ({ daemon }) =>
      'value' in daemon
        ? []
        : [
            finding(
              'outage',
              daemon.missing,
              'systemctl start siptrustd; without it nobody is trusted, and calls go on stripped',
            ),
          ],
  },
  {
    name: 'daemon-version',
    asks: 'siptrustd is of the version of siptrustctl',
    look: ({ daemon }) =>
      'value' in daemon && daemon.value.version !== VERSION
        ? [
            finding(
              'note',
              `siptrustd is ${daemon.value.version}, siptrustctl ${VERSION}`,
              'systemctl restart siptrustd',
            ),
          ]
        : [],
  },
  {
    name: 'policy-in-force',
    asks: 'the policy in force is that of the file, and no key of `daemon` waits for a start',
    look: inForce,
  },
  {
    name: 'policy-files',
    asks: 'policy and state are written by their owner alone',
    look: ({ options, stat }) => {
      const mode = (stat(options.config)?.mode ?? 0) & 0o777;
      return (mode & 0o020) === 0
        ? []
        : [
            finding(
              'risk',
              `${options.config}: its group may write it (mode ${mode.toString(8)}): whoever may, says who is trusted`,
              `chmod g-w ${options.config}`,
            ),
          ];
    },
  },
  { name: 'crl-age', asks: 'revocation lists are current', look: crlAge },
  {
    name: 'clock',
    asks: 'the clock is right',
    look: ({ now, policyWritten, daemon, options }) => {
      const found: Finding[] = [];
      if (policyWritten !== undefined && policyWritten > now + MOST_SKEW_MS) {
        const text = `${options.config} was written at ${instant(policyWritten)}, and it is ${instant(now)}`;
        found.push(
          finding('outage', text, 'set the clock (timedatectl, chronyc): certificates and agreements are judged by it'),
        );
      }
      if ('value' in daemon) {
        const [before, after] = daemon.value.asked;
        const theirs = daemon.value.now;
        if (theirs < before - MOST_SKEW_MS || theirs > after + MOST_SKEW_MS) {
          const text = `siptrustd has ${instant(theirs)}, siptrustctl ${instant(after)}`;
          found.push(
            finding('outage', text, 'set the clocks of both machines: certificates and agreements are judged by them'),
          );
        }
      }
      return found;
    },
  },
  {
    name: 'node',
    asks: 'Node.js is 20.19 or newer',
    look: ({ node }) => {
      const [major = 0, minor = 0] = node.split('.').map(Number);
      return major > 20 || (major === 20 && minor >= 19)
        ? []
        : [finding('risk', `Node.js ${node}`, 'install Node.js 20.19 or newer')];
    },
  },
];

function inForce({ daemon, policyWritten, options }: Site): readonly Finding[] {
  if (!('value' in daemon)) return [];
  const { problems, warnings, loadedAt } = daemon.value;
  const [first] = problems;
  if (first !== undefined) {
    return [
      finding(
        'risk',
        `siptrustd keeps an older policy, the last one was not good: ${first}`,
        'mend the file, then siptrustctl agreement reload',
      ),
    ];
  }
  if (policyWritten === undefined || policyWritten <= loadedAt + 1000) {
    // Those of the daemon's own settings bear no place in the file: they wait for a start.
    const waiting = warnings.filter((text) => text.startsWith('daemon.')).slice(0, MOST_WARNINGS);
    return waiting.map((text) => finding('note', text, 'systemctl restart siptrustd'));
  }
  const text = `${options.config} was written ${instant(policyWritten)}, after siptrustd read it (${instant(loadedAt)})`;
  return [finding('risk', text, 'siptrustctl agreement reload')];
}

function crlAge({ policy, now }: Site): readonly Finding[] {
  if (!policy.ok) return [];
  return [...policy.snapshot.agreements].flatMap(({ name, enabled, crls, revocation }) => {
    if (!enabled || revocation === 'off') return [];
    return crls.flatMap(({ issuerText, nextUpdate, thisUpdate }) => {
      const harm = revocation === 'hard' ? 'outage' : 'risk';
      const what = `${name}: the list of ${issuerText}`;
      if (thisUpdate > now)
        return [finding(harm, `${what} is of ${instant(thisUpdate)}, which is yet to come`, 'is the clock right?')];
      if (nextUpdate === undefined)
        return [finding(harm, `${what} has no nextUpdate and settles nothing`, 'ask the CA for lists with nextUpdate')];
      if (nextUpdate >= now) return [];
      return [
        finding(
          harm,
          `${what} should have been replaced ${instant(nextUpdate)}`,
          'fetch the new one, or switch daemon.revocation.fetch on (docs/revocation.md)',
        ),
      ];
    });
  });
}
