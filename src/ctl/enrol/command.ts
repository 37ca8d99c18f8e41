/** The life of a certificate of ours: `cert enrol`, `cert renew` (CMPv2) and `cert install` (whatever way it came). */

import { createHash, createPrivateKey, createPublicKey } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { CertificateCache } from '../../state/verdicts/index.js';
import type { CertificateFacts } from '../../x509/certificate/index.js';
import { writePem } from '../../x509/der/index.js';
import { sipIdentities } from '../../x509/identity/index.js';
import { lintCertificate } from '../../x509/lint/index.js';
import { certificateFile, makeKey, makeRequest, type RequestOptions } from '../certificates/index.js';
import { targetOf } from '../probe/index.js';
import { namedFile, Refusal, render } from '../terminal/index.js';
import { type CmpQuestion, type Credential, checkSecret, cmpArguments, runCmp } from './cmp.js';
import { installParts, isServed, type Part, runThen } from './install.js';

export interface EnrolContext {
  readonly certificates: CertificateCache;
  readonly print: (answer: unknown, shown?: (answer: unknown) => string) => void;
  readonly exit: (code: number) => void;
}

interface Afterwards {
  readonly then?: string;
  readonly check?: string;
  readonly dryRun: boolean;
}

interface CmpOptions extends Afterwards {
  readonly server: string;
  readonly ref?: string;
  readonly secret?: string;
  readonly cert?: string;
  readonly certKey?: string;
  readonly trusted?: string;
  readonly tlsTrusted?: string;
  readonly recipient?: string;
}

interface EnrolOptions extends CmpOptions, RequestOptions {
  readonly out: string;
  readonly request: string;
}

interface RenewOptions extends CmpOptions {
  readonly certificate: string;
  readonly key: string;
  readonly keepKey: boolean;
  readonly nextKey?: string;
  readonly algorithm: string;
}

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
      .option('--then <command>', 'command to run afterwards, as in "kamcmd tls.reload"')
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
    const keyText = textOf(nextKey ?? key);
    const parts = [
      certificatePart(certificate, leaf, chain),
      ...(nextKey === undefined ? [] : [keyPart(key, keyText)]),
    ];
    await finish(
      { leaf, keyText, keyFile: nextKey ?? key, parts, names: namesBefore(certificate, context), did: [] },
      options,
      context,
    );
  });
}

async function enrol(domains: readonly string[], options: EnrolOptions, context: EnrolContext): Promise<void> {
  const { request: kind, key, existingKey, out } = options;
  if (kind !== 'ir' && kind !== 'cr')
    throw new Refusal(`--request: expected ir or cr, found ${JSON.stringify(kind)}`, 2);
  if ((key === undefined) === (existingKey === undefined)) {
    throw new Refusal('expected either --key (a file to be made) or --existing-key (one that is there)', 2);
  }
  const credential = credentialOf(options);
  await inScratch(async (scratch) => {
    const newKey = existingKey ?? join(scratch, 'new.key');
    const request = join(scratch, 'request.pem');
    const question = { command: kind, credential, key: newKey, request, ...common(options) } as const;
    if (options.dryRun)
      return context.print(plan(question, scratch, { certificate: out, key: key ?? '' }, options), render);
    // The options of the request are those of `cert request`; its files are made here and go where they belong at the end.
    const { key: _, existingKey: __, ...asked } = options;
    const keys = existingKey === undefined ? { key: newKey } : { existingKey };
    const made = await makeRequest(domains, { ...asked, ...keys, out: request });
    const { leaf, chain } = await transact(question, scratch, context);
    const keyText = textOf(newKey);
    const parts = [...(key === undefined ? [] : [keyPart(key, keyText)]), certificatePart(out, leaf, chain)];
    const names = made.names.flatMap((name) => (name.startsWith('DNS:') ? [name.slice(4)] : []));
    await finish(
      { leaf, keyText, keyFile: newKey, parts, names, did: [`${kind} to ${options.server}`] },
      options,
      context,
    );
  });
}

async function renew(options: RenewOptions, context: EnrolContext): Promise<void> {
  const { certificate, key, keepKey, nextKey, algorithm } = options;
  if (keepKey && nextKey !== undefined) throw new Refusal('expected --keep-key or --next-key, found both', 2);
  const credential =
    options.secret === undefined && options.cert === undefined ? { cert: certificate, key } : credentialOf(options);
  if ('cert' in credential && options.trusted === undefined) {
    throw new Refusal(
      '--trusted: expected the CA certificates that the answers of the CA are signed under, found none',
      2,
    );
  }
  await inScratch(async (scratch) => {
    const newKey = keepKey ? key : (nextKey ?? join(scratch, 'new.key'));
    const question = {
      command: 'kur',
      credential,
      key: newKey,
      oldCertificate: certificate,
      ...common(options),
    } as const;
    if (options.dryRun) {
      return context.print(plan(question, scratch, { certificate, key: keepKey ? '' : key }, options), render);
    }
    const names = namesBefore(certificate, context);
    if (!keepKey && nextKey === undefined) await makeKey(newKey, algorithm);
    const { leaf, chain } = await transact(question, scratch, context);
    const keyText = textOf(newKey);
    const parts = [...(keepKey ? [] : [keyPart(key, keyText)]), certificatePart(certificate, leaf, chain)];
    await finish({ leaf, keyText, keyFile: newKey, parts, names, did: [`kur to ${options.server}`] }, options, context);
  });
}

function common({ server, trusted, tlsTrusted, recipient }: CmpOptions) {
  const given = { trusted, tlsTrusted, recipient };
  const known = Object.entries(given).filter(([, value]) => value !== undefined);
  return { server, ...(Object.fromEntries(known) as Partial<Record<keyof typeof given, string>>) };
}

function credentialOf({ ref, secret, cert, certKey }: CmpOptions): Credential {
  if (ref !== undefined && secret !== undefined && cert === undefined)
    return { reference: ref, secret: checkSecret(secret) };
  if (cert !== undefined && certKey !== undefined && secret === undefined) return { cert, key: certKey };
  throw new Refusal('expected --ref with --secret, or --cert with --cert-key: the CA has to know who asks', 2);
}

/** Where a new key lives until it is certified: readable by us alone, and gone afterwards. */
async function inScratch(act: (scratch: string) => Promise<void>): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), 'siptrustctl-'));
  try {
    await act(scratch);
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

function plan(
  question: CmpQuestion,
  scratch: string,
  files: { readonly certificate: string; readonly key: string },
  { then, check }: Afterwards,
) {
  const line = cmpArguments(question, { certificate: join(scratch, 'new.pem'), chain: join(scratch, 'chain.pem') });
  return {
    would_run: `openssl ${line.map((word) => (/^[\w./:=@+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(' ')}`,
    would_write: [files.key, files.certificate].filter((path) => path !== ''),
    would_keep: [files.key, files.certificate].filter((path) => path !== '').map((path) => `${path}.old`),
    would_then: then ?? '',
    would_check: check ?? '',
  };
}

async function transact(question: CmpQuestion, scratch: string, { certificates }: EnrolContext) {
  const files = { certificate: join(scratch, 'new.pem'), chain: join(scratch, 'chain.pem') };
  await runCmp(question, files);
  const [leaf] = certificateFile(files.certificate, certificates);
  if (leaf === undefined) throw new Refusal(`${question.server}: expected a certificate, found none`, 1);
  return { leaf, chain: chainBelowRoot(files.chain, leaf, certificates) };
}

/** What a server sends along: everything between its certificate and the root (RFC 8446 §4.4.2). */
function chainBelowRoot(
  file: string,
  leaf: CertificateFacts,
  certificates: CertificateCache,
): readonly CertificateFacts[] {
  let chain: readonly CertificateFacts[];
  try {
    chain = certificateFile(file, certificates);
  } catch {
    // openssl writes no chain where it knows none.
    return [];
  }
  return chain.filter(({ sha256, selfIssued }) => sha256 !== leaf.sha256 && !selfIssued);
}

function certificatePart(path: string, leaf: CertificateFacts, chain: readonly CertificateFacts[]): Part {
  return { path, text: [leaf, ...chain].map(({ der }) => writePem(der)).join(''), mode: 0o644 };
}

function keyPart(path: string, text: string): Part {
  return { path, text, mode: 0o600 };
}

/** The names of the certificate in use, which the new one has to have too; none where there is no certificate yet. */
function namesBefore(file: string, { certificates }: EnrolContext): readonly string[] {
  try {
    const [facts] = certificateFile(file, certificates);
    return facts === undefined ? [] : sipIdentities(facts, { cnFallback: true }).names;
  } catch (error) {
    if (error instanceof Refusal && error.exitCode === 2) return [];
    throw error;
  }
}

const textOf = (file: string): string => namedFile(file).toString('utf8');

interface Arrived {
  readonly leaf: CertificateFacts;
  readonly keyText: string;
  readonly keyFile: string;
  readonly parts: readonly Part[];
  /** Names that the certificate has to have. */
  readonly names: readonly string[];
  readonly did: readonly string[];
}

/** Looks at what came, puts it in place, runs the command, looks whether it is served. */
async function finish(
  arrived: Arrived,
  { then, check, dryRun }: Afterwards,
  { print, exit }: EnrolContext,
): Promise<void> {
  const { leaf, names } = arrived;
  const address = check === undefined ? undefined : targetOf(check);
  judge(arrived);
  const remarks = lintCertificate(leaf, 'tls-entity', Date.now())
    .filter(({ severity }) => severity !== 'info')
    .map(({ rule, text }) => `${rule}: ${text}`);
  if (dryRun) {
    const paths = arrived.parts.map(({ path }) => path);
    return print(
      {
        would_write: paths,
        would_keep: paths.map((path) => `${path}.old`),
        would_then: then ?? '',
        would_check: check ?? '',
        remarks,
      },
      render,
    );
  }
  const replaced = installParts(arrived.parts);
  const did = [
    ...arrived.did,
    ...replaced.map(({ path, kept }) => `wrote ${path}${kept === '' ? '' : `, the old one is ${kept}`}`),
  ];
  let good = true;
  if (then !== undefined) {
    const { ok, said } = await runThen(then);
    did.push(`${ok ? 'ran' : 'FAILED'} ${then}${said === '' ? '' : `: ${said}`}`);
    good = ok;
  }
  if (address !== undefined) {
    const digest = (der: Uint8Array) => createHash('sha256').update(der).digest('hex');
    const served = await isServed(address, names[0] ?? address.host, { sha256: leaf.sha256, digest });
    did.push(`${served.ok ? 'checked' : 'FAILED'} ${check}: ${served.said}`);
    good &&= served.ok;
  }
  const back = replaced.filter(({ kept }) => kept !== '').map(({ path, kept }) => `mv ${kept} ${path}`);
  print(
    {
      certificate: leaf.subjectText,
      names: sipIdentities(leaf, { cnFallback: true }).names,
      sha256: leaf.sha256,
      until: new Date(leaf.notAfter).toISOString(),
      pin: `sha256/${leaf.spkiSha256}`,
      did,
      remarks,
      ...(good ? {} : { to_go_back: back.join(' && ') }),
    },
    (answer) => reportText(answer as Record<string, unknown>),
  );
  if (!good) exit(1);
}

/** @throws {Refusal} the certificate is not for this key, these names or this time; nothing has changed */
function judge({ leaf, keyText, keyFile, names }: Arrived): void {
  let key: string;
  try {
    const outside = createPublicKey(createPrivateKey(keyText)).export({ type: 'spki', format: 'der' });
    key = createHash('sha256').update(outside).digest('base64');
  } catch (cause) {
    throw new Refusal(`${keyFile}: expected a private key in PEM, without a passphrase`, 2, { cause });
  }
  const what = `the certificate of ${leaf.subjectText}`;
  if (key !== leaf.spkiSha256)
    throw new Refusal(
      `${what}: expected one for the key ${keyFile}, found one for another key; nothing has changed`,
      1,
    );
  const found = sipIdentities(leaf, { cnFallback: true }).names;
  const missing = names.filter((name) => !found.includes(name));
  if (missing.length > 0) {
    throw new Refusal(
      `${what}: expected the name ${missing.join(', ')}, found ${found.join(', ') || 'no SIP domain'}; nothing has changed`,
      1,
    );
  }
  const now = Date.now();
  if (now < leaf.notBefore || now > leaf.notAfter) {
    const times = `${new Date(leaf.notBefore).toISOString()} to ${new Date(leaf.notAfter).toISOString()}`;
    throw new Refusal(
      `${what}: expected one that is valid now, found ${times}; nothing has changed (is the clock right?)`,
      1,
    );
  }
}

function reportText({ did, remarks, ...rest }: Record<string, unknown>): string {
  const list = (value: unknown): readonly string[] => (Array.isArray(value) ? value.map(String) : []);
  return [render(rest), ...list(did), ...list(remarks).map((text) => `mind: ${text}`)].join('\n');
}
