/** The life of a certificate of ours: `cert enrol`, `cert renew` (CMPv2) and `cert install` (whatever way it came). */

import type { Command } from 'commander';
import { certificateFile } from '../certificates/index.js';
import { Stop } from '../long-work/index.js';
import { namedText, Refusal } from '../terminal/index.js';
import { certificatePart, finish, keyPart, namesBefore, requireTwoFiles } from './arrived.js';
import type { Afterwards, EnrolContext, EnrolOptions, RenewOptions } from './options.js';
import { enrol, renew } from './steps.js';

/** Adds the commands to the group `cert`. */
export function enrolCommands(cert: Command, context: EnrolContext): void {
  const cmp = (command: Command): Command =>
    afterwards(
      command
        .requiredOption('--server <url>', 'CMP server of the CA: http://HOST:PORT/PATH, or https')
        .option('--ref <text>', 'reference that the CA gave, together with --secret')
        .option('--secret <source>', 'file:PATH or env:VARIABLE that holds the secret')
        .option('--cert <file>', 'a certificate of ours that the CA knows, instead of a secret')
        .option('--cert-key <file>', 'its key')
        .option('--trusted <file>', 'CA certificates that answers may be signed under')
        .option('--tls-trusted <file>', 'CA certificates for an https server')
        .option('--recipient <dn>', 'distinguished name of the CA, as in "/O=Operator/CN=CA"'),
    );
  const afterwards = (command: Command): Command =>
    command
      .option('--then <command>', 'command to run afterwards, as in "kamcmd tls.reload"; it has no terminal')
      .option('--check <host:port>', 'our server: it has to show the new certificate afterwards')
      .option('--dry-run', 'ask nobody, make and change nothing, and say what would be done', false);

  cmp(
    cert
      .command('enrol')
      .description('gets a certificate from a CA by CMPv2 (TS 33.310 §9, RFC 9483), and installs it')
      .argument('<domain...>', 'SIP domains that it is to name')
      .requiredOption('--organization <name>', 'O of the subject: the operator')
      .requiredOption('--out <file>', 'the certificate, with its chain')
      .option('--common-name <name>', 'CN of the subject (default: the first domain)')
      .option('--country <code>', 'C of the subject, two letters')
      .option('--key <file>', 'the new key, readable by its owner alone')
      .option('--existing-key <file>', 'a key that is there, instead of a new one')
      .option('--algorithm <name>', 'p256, p384, rsa2048, rsa3072 or rsa4096', 'p256')
      .option('--uri', 'name each domain as a sip: URI, too (RFC 5922)', false)
      .option('--sip-domain', 'ask for the extended key usage sipDomain, too (RFC 5924)', false)
      .option('--request <kind>', 'ir (initial), or cr (a further one)', 'ir'),
  ).action((domains: readonly string[], options: EnrolOptions) => enrol(domains, options, context));

  cmp(
    cert
      .command('renew')
      .description('replaces a certificate by a new one of the same names, by CMPv2 (kur), and keeps the old one')
      .requiredOption('--certificate <file>', 'the certificate in use')
      .requiredOption('--key <file>', 'its key')
      .option('--keep-key', 'certify the same key again: partners may have pinned it', false)
      .option('--next-key <file>', 'a key that is there, instead of a new one')
      .option('--algorithm <name>', 'of a new key: p256, p384, rsa2048, rsa3072 or rsa4096', 'p256'),
  ).action((options: RenewOptions) => renew(options, context));

  afterwards(
    cert
      .command('install')
      .description('puts a certificate that came by another way in place, and keeps the old one')
      .argument('<file>', 'the new certificate, with its chain')
      .requiredOption('--certificate <file>', 'where it goes')
      .requiredOption('--key <file>', 'its key, in place')
      .option('--next-key <file>', 'a new key, which takes the place of --key'),
  ).action(async (file: string, options: Afterwards & { certificate: string; key: string; nextKey?: string }) => {
    const [leaf, ...chain] = certificateFile(file, context.certificates);
    if (leaf === undefined) throw new Refusal(`${file}: expected a certificate, found none`, 1);
    const { certificate, key, nextKey } = options;
    requireTwoFiles({ option: '--certificate', path: certificate }, { option: '--key', path: key });
    const keyText = namedText(nextKey ?? key);
    const parts = [
      certificatePart(certificate, leaf, chain),
      ...(nextKey === undefined ? [] : [keyPart(key, keyText)]),
    ];
    const stop = Stop.listen();
    try {
      const names = namesBefore(certificate, context);
      await finish({ leaf, keyText, keyFile: nextKey ?? key, parts, names, did: [] }, options, context, stop.signal);
    } finally {
      stop.close();
    }
  });
}
