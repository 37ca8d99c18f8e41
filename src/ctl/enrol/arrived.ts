/** A certificate that came, by CMP or another way: looked at, put in place, its server asked whether it shows it. */

import { createHash, createPrivateKey, createPublicKey } from 'node:crypto';
import { existsSync, realpathSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { CertificateFacts } from '../../x509/certificate/index.js';
import { writePem } from '../../x509/der/index.js';
import { sipIdentities } from '../../x509/identity/index.js';
import { lintCertificate } from '../../x509/lint/index.js';
import { certificateFile } from '../certificates/index.js';
import { targetOf } from '../probe/index.js';
import { Refusal, render, requireFolder } from '../terminal/index.js';
import { installParts, isServed, type Part, runThen } from './install.js';
import type { Afterwards, EnrolContext } from './options.js';

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
export async function finish(
  arrived: Arrived,
  { then, check, dryRun }: Afterwards,
  { print, exit }: EnrolContext,
  signal?: AbortSignal,
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
    const { ok, said } = await runThen(then, signal);
    did.push(`${ok ? 'ran' : 'FAILED'} ${then}${said === '' ? '' : `: ${said}`}`);
    good = ok;
  }
  if (address !== undefined) {
    const digest = (der: Uint8Array) => createHash('sha256').update(der).digest('hex');
    const served = await isServed(address, names[0] ?? address.host, { sha256: leaf.sha256, digest }, signal);
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
    reportText,
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

/** A file that everybody may read: the certificate and what stands above it, in PEM. */
export function certificatePart(path: string, leaf: CertificateFacts, chain: readonly CertificateFacts[]): Part {
  return { path, text: [leaf, ...chain].map(({ der }) => writePem(der)).join(''), mode: 0o644 };
}

/** A file that its owner alone may read. */
export function keyPart(path: string, text: string): Part {
  return { path, text, mode: 0o600 };
}

/**
 * Said before a CA is asked: what it issues has to find its places.
 * @throws {Refusal} a place is none
 */
export function requirePlaces(places: readonly Place[], { check }: Afterwards): void {
  if (check !== undefined) targetOf(check);
  for (const { option, path } of places) {
    requireFolder(option, dirname(resolve(path)));
    if (statSync(path, { throwIfNoEntry: false })?.isFile() === false) {
      throw new Refusal(`${option} ${path}: expected a file, found something else`, 2);
    }
  }
}

/** @throws {Refusal} a certificate would take the place of its key */
export function requireTwoFiles(certificate: Place, key: Place): void {
  const file = (path: string): string => (existsSync(path) ? realpathSync(path) : resolve(path));
  if (file(certificate.path) !== file(key.path)) return;
  throw new Refusal(
    `${certificate.option} and ${key.option}: expected two files, found ${key.path} for both: the certificate would replace its key`,
    2,
  );
}

export interface Place {
  readonly option: string;
  readonly path: string;
}

/** The names of the certificate in use, which the new one has to have too; none where there is no certificate yet. */
export function namesBefore(file: string, { certificates }: EnrolContext): readonly string[] {
  if (!existsSync(file)) return [];
  const [facts] = certificateFile(file, certificates);
  return facts === undefined ? [] : sipIdentities(facts, { cnFallback: true }).names;
}

function reportText({ did, remarks, ...rest }: Record<string, unknown>): string {
  const list = (value: unknown): readonly string[] => (Array.isArray(value) ? value.map(String) : []);
  return [render(rest), ...list(did), ...list(remarks).map((text) => `mind: ${text}`)].join('\n');
}
