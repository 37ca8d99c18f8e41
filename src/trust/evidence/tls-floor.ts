/**
 * The floor of the TLS profile: TLS 1.2 or 1.3 with an ephemeral key exchange and an AEAD cipher
 * (TS 33.210 §6.2; rulebook G-23 to G-28).
 */

import { quoted } from '../../printable.js';

const VERSIONS = new Map([
  ['tlsv1.2', 'TLSv1.2'],
  ['tlsv1_2', 'TLSv1.2'],
  ['tls1.2', 'TLSv1.2'],
  ['tlsv1.3', 'TLSv1.3'],
  ['tlsv1_3', 'TLSv1.3'],
  ['tls1.3', 'TLSv1.3'],
]);

/** RFC 8446 §B.4. */
const TLS13_CIPHER = /^TLS_(AES_(128|256)_GCM|AES_128_CCM(_8)?|CHACHA20_POLY1305)_SHA(256|384)$/;
/** IANA names (`TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256`) and OpenSSL names (`ECDHE-RSA-AES128-GCM-SHA256`; of ARIA without RSA). */
const TLS12_CIPHER =
  /^(TLS_(ECDHE|DHE)_(RSA|ECDSA)_WITH_(AES|ARIA|CAMELLIA|CHACHA20)[A-Z0-9_]*|(ECDHE|DHE)-(RSA|ECDSA)-[A-Z0-9-]+|ECDHE-ARIA[A-Z0-9-]+)$/;
/** AEAD ciphers exist only since TLS 1.2 (RFC 5246 §6.2.3.3), so that such a name also proves the version. */
const AEAD = /(GCM|CCM8?|CHACHA20[-_]POLY1305)/;

/** What encrypts nothing, in IANA's and in OpenSSL's words, and the suites of RFC 9150 for TLS 1.3. */
const NULL_CIPHER = /(^|[-_])NULL([-_]|$)|^TLS_SHA(256|384)_SHA(256|384)$/;
/** Of these, what still authenticates both sides by certificate, and every record by an HMAC better than MD5. */
const NULL12_CIPHER =
  /^(TLS_(RSA|ECDHE_RSA|ECDHE_ECDSA)_WITH_NULL_SHA(256|384)?|((ECDHE-RSA|ECDHE-ECDSA)-)?NULL-SHA(256)?)$/;
const NULL13_CIPHER = /^TLS_SHA256_SHA256$|^TLS_SHA384_SHA384$/;

export interface TlsFloorResult {
  readonly ok: boolean;
  readonly detail: string;
  /** `any`: a connection that does not encrypt; `authentic`: one that authenticates all the same. */
  readonly nullEncryption: 'no' | 'any' | 'authentic';
}

/**
 * Judges version and cipher as the TLS stack prints them. One of them may be missing where the other proves both;
 * anything unknown is below the floor.
 */
export function tlsFloor(version: string | undefined, cipher: string | undefined): TlsFloorResult {
  const seen = `version ${word(version)}, cipher ${word(cipher)}`;
  const below = `${seen}; expected TLS 1.2 with (EC)DHE and AEAD, or TLS 1.3`;
  const known = version === undefined ? undefined : VERSIONS.get(version.trim().toLowerCase());
  const name = cipher === undefined ? undefined : ianaName(cipher.trim().toUpperCase());
  if (name !== undefined && NULL_CIPHER.test(name)) {
    const is13 = NULL13_CIPHER.test(name) && (known === 'TLSv1.3' || version === undefined);
    const is12 = NULL12_CIPHER.test(name) && known === 'TLSv1.2';
    return { ok: false, detail: seen, nullEncryption: is12 || is13 ? 'authentic' : 'any' };
  }
  const ok = encrypts(name, known, version === undefined);
  return { ok, detail: ok ? seen : below, nullEncryption: 'no' };
}

/** What wolfSSL calls `TLS13-AES128-GCM-SHA256` is `TLS_AES_128_GCM_SHA256`; its other names are those of OpenSSL. */
function ianaName(name: string): string {
  if (!name.startsWith('TLS13-')) return name;
  return name.replace('TLS13-', 'TLS-').replace('-AES', '-AES-').replace('-CCM8', '-CCM-8').replaceAll('-', '_');
}

/** As it was told, if it is a word that a TLS stack prints. */
function word(text: string | undefined): string {
  if (text === undefined) return 'not told';
  return /^[\x21-\x7e]{1,60}$/.test(text) ? text : quoted(text);
}

function encrypts(name: string | undefined, known: string | undefined, versionIsMissing: boolean): boolean {
  if (known === undefined && !versionIsMissing) return false;
  if (name === undefined) return known === 'TLSv1.3';
  const is13 = TLS13_CIPHER.test(name);
  const is12 = !is13 && TLS12_CIPHER.test(name) && AEAD.test(name);
  return (is13 && known !== 'TLSv1.2') || (is12 && known !== 'TLSv1.3');
}
