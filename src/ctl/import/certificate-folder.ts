/**
 * A folder of partners' certificates: one agreement for each partner, with the domains that its certificates name, the
 * CA that issued them as anchor, what stands between, and the pins that could be asked for.
 */

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { CertificateCache } from '../../state/verdicts/index.js';
import type { CertificateFacts } from '../../x509/certificate/index.js';
import { readPem } from '../../x509/der/index.js';
import { sipIdentities } from '../../x509/identity/index.js';
import { certificatesIn } from '../certificates/index.js';
import type { Breathe } from '../long-work/index.js';
import { TABLE_LIMITS, tableText } from '../tables/index.js';
import { Refusal, regularFile } from '../terminal/index.js';
import { Authorities } from './authorities.js';
import type { Candidate } from './candidate.js';
import { refusals } from './judged.js';
import { type Leaf, leafAgreements } from './leaf-agreements.js';
import type { Finding } from './report.js';

/** Above this a folder is refused: no network has as many partners. */
export const MOST_FILES = 5000;

const ENDINGS = /\.(?:pem|crt|cer|der|p7b|p7c|pfx|p12|key)$/i;

export interface CertificateImport {
  readonly candidates: readonly Candidate[];
  readonly findings: readonly Finding[];
  /** CA certificates that the agreements name, by file name. */
  readonly authorities: Readonly<Record<string, string>>;
}

/**
 * @param more files with further CA certificates, which need not be of partners (a bundle of public roots)
 * @param breathe before each file
 */
export async function certificateAgreements(
  folder: string,
  more: readonly string[],
  certificates: CertificateCache,
  now: number,
  breathe: Breathe,
): Promise<CertificateImport> {
  const findings: Finding[] = [];
  const leaves: Leaf[] = [];
  const doubtful: Leaf[] = [];
  const issuers = new Set<string>();
  const authorities = new Authorities();
  const files = filesOf(folder);
  for (const [index, file] of files.entries()) {
    await breathe(`${index} of ${files.length} files read`);
    for (const facts of read(join(folder, file), file, certificates, findings)) {
      if (!facts.selfIssued) issuers.add(facts.issuerKeys.text);
      if (!facts.isCa || namesDomain(facts, false)) leaves.push({ file, facts });
      else {
        authorities.add(facts);
        if (namesDomain(facts, true)) doubtful.push({ file, facts });
      }
    }
  }
  leaves.push(...doubtful.filter(({ facts }) => !issuers.has(facts.subjectKeys.text)));
  for (const file of more) {
    const bundle = readBundle(file, certificates);
    for (const facts of bundle.known) if (facts.isCa) authorities.add(facts);
    if (bundle.unread > 0) {
      const text = `${bundle.unread} of its certificates cannot be read`;
      findings.push({ from: file, subject: '', outcome: 'left out', text });
    }
  }

  const { candidates, findings: told } = leafAgreements(leaves, authorities, (leaf, above) =>
    refusals(leaf, above, now),
  );
  return { candidates, findings: [...findings, ...told], authorities: authorities.used() };
}

function filesOf(folder: string): readonly string[] {
  let names: readonly string[];
  try {
    names = readdirSync(folder).filter((name) => ENDINGS.test(name) && !name.startsWith('.'));
  } catch (cause) {
    throw new Refusal(`${folder}: ${cause instanceof Error ? cause.message : String(cause)}`, 2, { cause });
  }
  if (names.length > MOST_FILES)
    throw new Refusal(`${folder}: expected at most ${MOST_FILES} files, found ${names.length}`, 2);
  if (names.length === 0)
    throw new Refusal(`${folder}: expected files as in partner.pem, .crt, .cer or .der, found none`, 2);
  return [...names].sort();
}

function read(
  path: string,
  file: string,
  certificates: CertificateCache,
  findings: Finding[],
): readonly CertificateFacts[] {
  try {
    return certificatesIn(path, regularFile(path, TABLE_LIMITS.octets), certificates);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    findings.push({ from: file, subject: '', outcome: 'left out', text: error.message.replace(`${path}: `, '') });
    return [];
  }
}

/** A bundle of many CAs: what cannot be read of it does not take the others along. */
export function readBundle(file: string, certificates: CertificateCache) {
  const known: CertificateFacts[] = [];
  let unread = 0;
  for (const der of readPem(tableText(file))) {
    const facts = certificates.read(Buffer.from(der).toString('base64'));
    if ('malformed' in facts) unread++;
    else known.push(facts);
  }
  return { known, unread };
}

/**
 * `openssl req -x509` marks a partner's own certificate as a CA; one that names a domain is taken for its own, by its common
 * name alone where it issued nothing that is here.
 */
function namesDomain(facts: CertificateFacts, cnFallback: boolean): boolean {
  return facts.selfIssued && sipIdentities(facts, { cnFallback }).names.length > 0;
}
