/** The commands about certificates: `cert show`, `lint`, `request` and `expiry`. */

import type { Command } from 'commander';
import { NOTICE_DAYS } from '../../state/expiry/index.js';
import type { CertificateCache } from '../../state/verdicts/index.js';
import { isList, isRecord } from '../../typed.js';
import { type CertificateFacts, certificateName } from '../../x509/certificate/index.js';
import { describeCertificate } from '../../x509/identity/index.js';
import { type CertificateKind, type LintFinding, lintCertificate } from '../../x509/lint/index.js';
import { purposeText } from '../../x509/rules/index.js';
import { type Print, Refusal, render, renderExpiry } from '../terminal/index.js';
import { certificateFile } from './certificate-file.js';
import { makeRequest, type RequestOptions } from './request.js';

export interface CertificateContext {
  readonly certificates: CertificateCache;
  readonly print: Print;
  readonly write: (text: string) => void;
  /** Who answers `cert.expiry`: the daemon, or a policy file. */
  readonly expiry: (withinDays: number, config: string | undefined) => Promise<unknown>;
  readonly exit: (code: number) => void;
}

/** Adds the commands to the group `cert`. */
export function certificateCommands(cert: Command, context: CertificateContext): void {
  const { certificates, print, write, expiry, exit } = context;
  cert
    .command('show')
    .description('what a certificate file says')
    .argument('<file>')
    .action((file: string) => {
      const shown = certificateFile(file, certificates).map(describeCertificate);
      const lines = () =>
        shown.map((each) => render({ ...each, extended_key_usage: purposeText(each.extended_key_usage) }));
      print(shown.length === 1 ? shown[0] : shown, () => lines().join('\n\n'));
    });

  cert
    .command('lint')
    .description(
      'checks the certificates of one file against TS 33.310, RFC 5922 and RFC 5924: the first as that of a TLS entity, CAs behind it as CAs; exit code 1: it holds an error',
    )
    .argument('<file>')
    .option('--ca', 'all are certification authorities', false)
    .action(async (file: string, { ca }: { ca: boolean }) => {
      const all = certificateFile(file, certificates);
      const found: (LintFinding & { readonly certificate?: string })[] = [];
      for (const [index, facts] of all.entries()) {
        // A file for a TLS stack: the certificate, then the chain above it.
        const kind = ca || (index > 0 && facts.isCa) ? 'tls-ca' : 'tls-entity';
        const which = all.length > 1 ? { certificate: certificateName(facts) } : {};
        found.push(...(await lint(facts, kind)).map((finding) => ({ ...which, ...finding })));
      }
      print(found);
      if (found.some(({ severity }) => severity === 'error')) exit(1);
    });

  cert
    .command('request')
    .description('makes a key and a PKCS#10 request as TS 33.310 §6.1.3a wants them; overwrites nothing')
    .argument('<domain...>', 'SIP domains that the certificate is to name')
    .requiredOption('--organization <name>', 'O of the subject: the operator')
    .option('--common-name <name>', 'CN of the subject (default: the first domain)')
    .option('--country <code>', 'C of the subject, two letters')
    .option('--key <file>', 'the new key, readable by its owner alone (0600)')
    .option('--existing-key <file>', 'a key that is there, instead of a new one: partners may have pinned it')
    .option('--out <file>', 'the request (default: standard output)')
    .option('--algorithm <name>', 'p256, p384, rsa2048, rsa3072 or rsa4096', 'p256')
    .option('--uri', 'name each domain as a sip: URI, too (RFC 5922)', false)
    .option('--sip-domain', 'ask for the extended key usage sipDomain, too (RFC 5924)', false)
    .action(async (domains: readonly string[], options: RequestOptions) => {
      const { request, ...made } = await makeRequest(domains, options);
      if (request !== '') write(request);
      else print(made);
    });

  cert
    .command('expiry')
    .description(
      'what ends soon over all agreements: CAs, pins, certificates of ours and of partners, CRLs, agreements',
    )
    .option('--within <days>', `how soon (default: ${NOTICE_DAYS}, or as --warn)`)
    .option('--warn <days>', 'for monitoring: exit code 1: something ends within so many days; 2: something has ended')
    .option('--config <file>', 'policy file; answers without a daemon')
    .action(async ({ within, warn, config }: { within?: string; warn?: string; config?: string }) => {
      const warned = warn === undefined ? undefined : daysOf('--warn', warn);
      const shown = within === undefined ? (warned ?? NOTICE_DAYS) : daysOf('--within', within);
      const rows = await expiry(Math.max(shown, warned ?? 0), config);
      print(isList(rows) ? rows.filter((row) => !isRecord(row) || Number(row.days) <= shown) : rows, renderExpiry);
      if (warned !== undefined) exit(alarmOf(rows, warned));
    });
}

function daysOf(option: string, text: string): number {
  if (/^[0-9]{1,5}$/.test(text)) return Number(text);
  throw new Refusal(`${option}: expected days, found ${JSON.stringify(text)}`, 2);
}

/**
 * As a monitor wants it: 0 all is well, 1 a warning, 2 it is grave. Keys that were only seen harm nobody by ending, and what lives
 * for days is current within NOTICE_DAYS, too, and above them until the last third of its life.
 */
function alarmOf(rows: unknown, days: number): 0 | 1 | 2 {
  if (!isList(rows)) throw new Refusal('expected a list as the answer to cert.expiry, found an object', 2);
  const counted = rows.filter(isRecord).filter(({ what }) => what !== 'pin-observed');
  if (counted.some(({ state }) => state === 'ended')) return 2;
  const near = counted.filter((row) => Number(row.days) < days);
  return near.some((row) => row.state === 'ending' || (Number(row.days) >= NOTICE_DAYS && isEarly(row))) ? 1 : 0;
}

/** Whether it warns before `ending`: not what lives shorter than three times what is left of it, nor CRLs, which have a measure of their own. */
function isEarly({ what, begins, ends, days }: Readonly<Record<string, unknown>>): boolean {
  const third = (Date.parse(String(ends)) - Date.parse(String(begins))) / 3 / 86_400_000;
  // Of a CA, an agreement, or a daemon of another version: no number.
  return what !== 'crl' && !(Number(days) >= third);
}

/** The rules, and whether another parser reads the certificate as we do. */
async function lint(facts: CertificateFacts, kind: CertificateKind): Promise<readonly LintFinding[]> {
  // It takes long to load, which the other commands need not wait for.
  const { readingsDiffer } = await import('../../x509/peculiar/index.js');
  const text = readingsDiffer(facts);
  const second: readonly LintFinding[] =
    text === undefined ? [] : [{ rule: 'second-reading', severity: 'warning', clause: 'RFC 5280 §4.1', text }];
  return [...lintCertificate(facts, kind, Date.now()), ...second];
}
