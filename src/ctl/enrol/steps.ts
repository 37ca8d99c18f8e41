/** `cert enrol` and `cert renew`, step by step: a key, a request, the answer of the CA. */

import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CertificateCache } from '../../state/verdicts/index.js';
import type { CertificateFacts } from '../../x509/certificate/index.js';
import { certificateFile, makeKey, makeRequest } from '../certificates/index.js';
import { Stop } from '../long-work/index.js';
import { namedText, Refusal, render } from '../terminal/index.js';
import {
  certificatePart,
  finish,
  keyPart,
  namesBefore,
  type Place,
  requirePlaces,
  requireTwoFiles,
} from './arrived.js';
import { type CmpQuestion, cmpArguments, runCmp } from './cmp.js';
import {
  type Afterwards,
  caPart,
  credentialOf,
  type EnrolContext,
  type EnrolOptions,
  type RenewOptions,
} from './options.js';

/** What came from the CA, in the scratch directory. */
const NEW_CERTIFICATE = 'new.pem';

/** `cert enrol`: a first certificate for these domains. @throws {Refusal} */
export async function enrol(domains: readonly string[], options: EnrolOptions, context: EnrolContext): Promise<void> {
  const { request: kind, key, existingKey, out } = options;
  if (kind !== 'ir' && kind !== 'cr')
    throw new Refusal(`--request: expected ir or cr, found ${JSON.stringify(kind)}`, 2);
  if ((key === undefined) === (existingKey === undefined)) {
    throw new Refusal('expected either --key (a file to be made) or --existing-key (one that is there)', 2);
  }
  const credential = credentialOf(options);
  const written: Place = { option: '--out', path: out };
  const keyPlace: Place =
    key === undefined ? { option: '--existing-key', path: existingKey ?? '' } : { option: '--key', path: key };
  requireTwoFiles(written, keyPlace);
  if (!options.dryRun) requirePlaces(key === undefined ? [written] : [written, keyPlace], options);
  await inScratch(async (scratch, stop) => {
    const newKey = existingKey ?? join(scratch, 'new.key');
    const request = join(scratch, 'request.pem');
    const question = { command: kind, credential, key: newKey, request, ...caPart(options) } as const;
    if (options.dryRun)
      return context.print(plan(question, scratch, { certificate: out, key: key ?? '' }, options), render);
    // The options of the request are those of `cert request`; its files are made here and go where they belong at the end.
    const { key: _, existingKey: __, ...asked } = options;
    const keys = existingKey === undefined ? { key: newKey } : { existingKey };
    const made = await makeRequest(domains, { ...asked, ...keys, out: request });
    const { leaf, chain } = await transact(question, scratch, stop, context);
    const keyText = namedText(newKey);
    const parts = [...(key === undefined ? [] : [keyPart(key, keyText)]), certificatePart(out, leaf, chain)];
    const names = made.names.flatMap((name) => (name.startsWith('DNS:') ? [name.slice(4)] : []));
    await finish(
      { leaf, keyText, keyFile: newKey, parts, names, did: [`${kind} to ${options.server}`] },
      options,
      context,
      stop.signal,
    );
  });
}

/** `cert renew`: the next certificate in place of one that is there. @throws {Refusal} */
export async function renew(options: RenewOptions, context: EnrolContext): Promise<void> {
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
  const written: Place = { option: '--certificate', path: certificate };
  const keyPlace: Place = { option: '--key', path: key };
  requireTwoFiles(written, keyPlace);
  if (!options.dryRun) requirePlaces(keepKey ? [written] : [written, keyPlace], options);
  await inScratch(async (scratch, stop) => {
    const newKey = keepKey ? key : (nextKey ?? join(scratch, 'new.key'));
    const question = {
      command: 'kur',
      credential,
      key: newKey,
      oldCertificate: certificate,
      ...caPart(options),
    } as const;
    if (options.dryRun) {
      return context.print(plan(question, scratch, { certificate, key: keepKey ? '' : key }, options), render);
    }
    const names = namesBefore(certificate, context);
    if (!keepKey && nextKey === undefined) await makeKey(newKey, algorithm);
    const { leaf, chain } = await transact(question, scratch, stop, context);
    const keyText = namedText(newKey);
    const parts = [...(keepKey ? [] : [keyPart(key, keyText)]), certificatePart(certificate, leaf, chain)];
    const did = [`kur to ${options.server}`];
    await finish({ leaf, keyText, keyFile: newKey, parts, names, did }, options, context, stop.signal);
  });
}

/**
 * Where a new key lives until it is certified: readable by us alone, and gone afterwards. It stays where the CA has issued a
 * certificate that found no place: many a CA takes a reference and its secret once.
 */
async function inScratch(act: (scratch: string, stop: Stop) => Promise<void>): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), 'siptrustctl-'));
  const stop = Stop.listen();
  let kept = false;
  try {
    await act(scratch, stop);
  } catch (error) {
    kept = existsSync(join(scratch, NEW_CERTIFICATE));
    if (!kept) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new Refusal(
      `${why}. What the CA issued, and its key where it is a new one, is kept in ${scratch}`,
      error instanceof Refusal ? error.exitCode : 1,
      { cause: error },
    );
  } finally {
    stop.close();
    if (!kept) rmSync(scratch, { recursive: true });
  }
}

function plan(
  question: CmpQuestion,
  scratch: string,
  files: { readonly certificate: string; readonly key: string },
  { then, check }: Afterwards,
) {
  const line = cmpArguments(question, {
    certificate: join(scratch, NEW_CERTIFICATE),
    chain: join(scratch, 'chain.pem'),
  });
  return {
    would_run: `openssl ${line.map((word) => (/^[\w./:=@+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(' ')}`,
    would_write: [files.key, files.certificate].filter((path) => path !== ''),
    would_keep: [files.key, files.certificate].filter((path) => path !== '').map((path) => `${path}.old`),
    would_then: then ?? '',
    would_check: check ?? '',
  };
}

async function transact(question: CmpQuestion, scratch: string, stop: Stop, { certificates }: EnrolContext) {
  const files = { certificate: join(scratch, NEW_CERTIFICATE), chain: join(scratch, 'chain.pem') };
  try {
    await runCmp(question, files, stop.signal);
  } catch (error) {
    stop.check('the CA was asked, and no answer was read; nothing has changed');
    throw error;
  }
  stop.check('the CA has answered; nothing has changed');
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
