/** `cert request`: a key, and the request for its certificate. */

import { createPrivateKey, createPublicKey, type KeyObject, webcrypto } from 'node:crypto';
import { policyDomain } from '../../policy/values/index.js';
import { keysOf } from '../../typed.js';
import type { KeyAlgorithmName, RequestSubject } from '../../x509/peculiar/index.js';
import { makeFiles, namedFile, Refusal } from '../terminal/index.js';

/** As the command line has them. */
export interface RequestOptions {
  readonly organization: string;
  readonly commonName?: string;
  readonly country?: string;
  readonly key?: string;
  readonly existingKey?: string;
  readonly out?: string;
  readonly algorithm: string;
  readonly uri: boolean;
  readonly sipDomain: boolean;
}

/** What was made; `request` is the PEM where it went into no file. */
export interface RequestMade {
  readonly subject: string;
  readonly names: readonly string[];
  readonly key: string;
  readonly out: string;
  readonly request: string;
}

/** RFC 5280 appendix A.1: ub-organization-name, ub-common-name. */
const MOST_NAME = 64;

/**
 * Makes the key (or takes one that exists) and the request.
 * @throws {Refusal} a name, an option or a file is wrong; no file was made
 */
export async function makeRequest(texts: readonly string[], options: RequestOptions): Promise<RequestMade> {
  const domains = [...new Set(texts.map(sipDomain))];
  const subject = subjectOf(domains[0] ?? '', options);
  // It takes long to load, which the other commands need not wait for.
  const { certificateRequest, KEY_ALGORITHMS } = await import('../../x509/peculiar/index.js');
  const { key, existingKey, out, uri: uris, sipDomain: forSip } = options;
  if ((key === undefined) === (existingKey === undefined)) {
    throw new Refusal('expected either --key (a file to be made) or --existing-key (one that is there)', 2);
  }
  const algorithm =
    existingKey === undefined ? oneOf(keysOf(KEY_ALGORITHMS), options.algorithm) : algorithmOf(existingKey);
  const scheme = { ...KEY_ALGORITHMS[algorithm], publicExponent: new Uint8Array([1, 0, 1]) };
  const keys =
    existingKey === undefined
      ? await webcrypto.subtle.generateKey(scheme, true, ['sign', 'verify'])
      : await readKeys(readKey(existingKey), scheme);
  const request = await certificateRequest({ subject, domains, uris, sipDomain: forSip, keys, algorithm });
  makeFiles([
    ...(key === undefined ? [] : [{ path: key, text: await keyText(keys.privateKey), mode: 0o600 }]),
    ...(out === undefined ? [] : [{ path: out, text: request, mode: 0o644 }]),
  ]);
  return {
    subject: [subject.country && `C=${subject.country}`, `O=${subject.organization}`, `CN=${subject.commonName}`]
      .filter((part) => part !== undefined)
      .join(', '),
    names: [...domains.map((name) => `DNS:${name}`), ...(uris ? domains.map((name) => `URI:sip:${name}`) : [])],
    key: key ?? existingKey ?? '',
    out: out ?? '',
    request: out === undefined ? request : '',
  };
}

/**
 * Makes a key alone.
 * @throws {Refusal} the algorithm is unknown, or the file is there; no file was made
 */
export async function makeKey(file: string, algorithm: string): Promise<void> {
  const { KEY_ALGORITHMS } = await import('../../x509/peculiar/index.js');
  const name = oneOf(keysOf(KEY_ALGORITHMS), algorithm);
  const scheme = { ...KEY_ALGORITHMS[name], publicExponent: new Uint8Array([1, 0, 1]) };
  const { privateKey } = await webcrypto.subtle.generateKey(scheme, true, ['sign', 'verify']);
  makeFiles([{ path: file, text: await keyText(privateKey), mode: 0o600 }]);
}

/** The SIP domain identity that a text means, converted once (RFC 5922 §7.1, §7.2; rulebook C-4). */
function sipDomain(text: string): string {
  const read = policyDomain(text);
  if ('domain' in read) return read.domain;
  throw new Refusal(
    `expected a SIP domain, as in ims.operator.example, found ${JSON.stringify(text)}: ${read.fault}`,
    2,
  );
}

function subjectOf(domain: string, { organization, commonName = domain, country }: RequestOptions): RequestSubject {
  for (const [option, text] of [
    ['--organization', organization],
    ['--common-name', commonName],
  ] as const) {
    const length = [...text].length;
    if (length < 1 || length > MOST_NAME || /[\u0000-\u001f\u007f-\u009f]/.test(text)) {
      const found = length > MOST_NAME ? `${length} characters` : JSON.stringify(text);
      throw new Refusal(`${option}: expected 1 to ${MOST_NAME} printable characters, found ${found}`, 2);
    }
  }
  if (country === undefined) return { organization, commonName };
  if (!/^[A-Z]{2}$/.test(country)) {
    throw new Refusal(`--country: expected two capital letters, as in DE, found ${JSON.stringify(country)}`, 2);
  }
  return { country, organization, commonName };
}

function oneOf(known: readonly KeyAlgorithmName[], text: string): KeyAlgorithmName {
  const found = known.find((name) => name === text);
  if (found !== undefined) return found;
  // TS 33.310 §6.1.1 (rulebook G-31): P-256, P-384, RSA from 2048 bits.
  throw new Refusal(`--algorithm: expected one of ${known.join(', ')}, found ${JSON.stringify(text)}`, 2);
}

function readKey(file: string): KeyObject {
  const bytes = namedFile(file);
  try {
    return createPrivateKey(bytes);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Refusal(`${file}: expected a private key in PEM, without a passphrase: ${why}`, 2, { cause });
  }
}

const CURVES: Readonly<Record<string, KeyAlgorithmName>> = { prime256v1: 'p256', secp384r1: 'p384' };

function algorithmOf(file: string): KeyAlgorithmName {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = readKey(file);
  const { namedCurve = '', modulusLength = 0 } = details ?? {};
  // Of an RSA key that is there, only the hash is taken from the table.
  const found = type === 'rsa' && modulusLength >= 2048 ? 'rsa2048' : type === 'ec' ? CURVES[namedCurve] : undefined;
  if (found !== undefined) return found;
  const is = [type, namedCurve || (modulusLength > 0 ? `${modulusLength} bits` : '')].join(' ').trim();
  throw new Refusal(`${file}: expected a P-256, P-384 or RSA key of 2048 bits or more, found ${is}`, 2);
}

async function readKeys(key: KeyObject, scheme: webcrypto.EcKeyImportParams | webcrypto.RsaHashedImportParams) {
  const { subtle } = webcrypto;
  const [inside, outside] = [
    key.export({ type: 'pkcs8', format: 'der' }),
    createPublicKey(key).export({ type: 'spki', format: 'der' }),
  ];
  return {
    privateKey: await subtle.importKey('pkcs8', inside, scheme, true, ['sign']),
    publicKey: await subtle.importKey('spki', outside, scheme, true, ['verify']),
  };
}

async function keyText(key: webcrypto.CryptoKey): Promise<string> {
  const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', key);
  const lines =
    Buffer.from(pkcs8)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return ['-----BEGIN PRIVATE KEY-----', ...lines, '-----END PRIVATE KEY-----', ''].join('\n');
}
