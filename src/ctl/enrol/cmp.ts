/**
 * One CMP transaction (RFC 4210, RFC 9483; TS 33.310 §9) through `openssl cmp` of OpenSSL 3: siptrust writes no CMP of its
 * own. Secrets reach openssl by file or environment, never as an argument that `ps` shows.
 */

import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import { Refusal } from '../terminal/index.js';

/** Who we are to the CA: a reference and a secret that it gave (initial), or a certificate of ours. */
export type Credential =
  | { readonly reference: string; readonly secret: string }
  | { readonly cert: string; readonly key: string };

export interface CmpQuestion {
  readonly command: 'ir' | 'cr' | 'kur';
  /** `host:port/path`, or an http(s) URL. */
  readonly server: string;
  readonly credential: Credential;
  /** Key to be certified, a file. */
  readonly key: string;
  /** What is asked for, a PKCS#10 file; a key update asks for what the certificate has. */
  readonly request?: string;
  /** The certificate that is to be replaced (kur). */
  readonly oldCertificate?: string;
  /** CA certificates that answers may be signed under; without them only the secret protects answers. */
  readonly trusted?: string;
  /** CA certificates of an https server. */
  readonly tlsTrusted?: string;
  /** Distinguished name of the CA. */
  readonly recipient?: string;
}

/** Files that openssl is to write. */
export interface CmpFiles {
  readonly certificate: string;
  readonly chain: string;
}

export const CMP_TIMEOUT_S = 60;

/**
 * What `secret` may be: the value itself would stand in the list of processes.
 * @throws {Refusal}
 */
export function checkSecret(text: string): string {
  if (/^(?:file|env):./.test(text)) return text;
  const found = text.startsWith('pass:')
    ? 'pass:..., which every user of this machine could read in ps'
    : 'another text';
  throw new Refusal(`--secret: expected file:PATH or env:VARIABLE, found ${found}`, 2);
}

/** The command line of openssl. */
export function cmpArguments(question: CmpQuestion, { certificate, chain }: CmpFiles): readonly string[] {
  const { command, server, credential, key, request, oldCertificate, trusted, tlsTrusted, recipient } = question;
  const option = (name: string, value: string | undefined): readonly string[] =>
    value === undefined ? [] : [name, value];
  const signed = 'cert' in credential;
  return [
    ...['cmp', '-config', '', '-batch', '-cmd', command, '-server', server],
    ...(signed
      ? ['-cert', credential.cert, '-key', credential.key]
      : ['-ref', credential.reference, '-secret', credential.secret]),
    ...['-newkey', key, ...option('-csr', request), ...option('-oldcert', oldCertificate)],
    ...option('-recipient', recipient),
    ...(trusted === undefined ? [] : ['-trusted', trusted, '-untrusted', trusted]),
    ...(server.startsWith('https:') ? ['-tls_used', ...option('-tls_trusted', tlsTrusted)] : []),
    ...['-msg_timeout', String(CMP_TIMEOUT_S), '-total_timeout', String(CMP_TIMEOUT_S), '-verbosity', '6'],
    ...['-certout', certificate, '-chainout', chain],
  ];
}

/**
 * Runs the transaction.
 * @param signal ends it
 * @throws {Refusal} no certificate came; with what openssl said
 */
export async function runCmp(question: CmpQuestion, files: CmpFiles, signal: AbortSignal): Promise<void> {
  const silence = await unreachable(question.server);
  if (silence !== '') throw new Refusal(`${question.server}: expected a CMP server, found ${silence}`, 1);
  await new Promise<void>((resolve, reject) => {
    const child = spawn('openssl', cmpArguments(question, files), { stdio: ['ignore', 'pipe', 'pipe'], signal });
    let said = '';
    const listen = (chunk: Buffer): void => {
      said = `${said}${chunk.toString('utf8')}`.slice(-16_384);
    };
    child.stdout.on('data', listen);
    child.stderr.on('data', listen);
    const timer = setTimeout(() => child.kill('SIGKILL'), (CMP_TIMEOUT_S + 10) * 1000);
    const fail = (why: string, cause?: unknown): void => {
      clearTimeout(timer);
      reject(
        new Refusal(`${question.command} to ${question.server}: expected a certificate, found ${why}`, 1, { cause }),
      );
    };
    child.on('error', (error) => {
      const missing = 'code' in error && error.code === 'ENOENT';
      fail(missing ? 'no command openssl: OpenSSL 3 has to be installed' : error.message, error);
    });
    child.on('close', (code) => {
      clearTimeout(timer);
      if (code === 0) resolve();
      else fail(`no answer that counts:\n${faults(said)}`);
    });
  });
}

const CONNECT_MS = 5000;

/** Why nobody is there; openssl itself tries again and again for as long as a message may take. */
function unreachable(server: string): Promise<string> {
  const { protocol, hostname, port } = serverUrl(server);
  const { http_proxy: plain, https_proxy: secure, HTTP_PROXY: upper, HTTPS_PROXY: secureUpper } = process.env;
  if ((plain ?? secure ?? upper ?? secureUpper) !== undefined) return Promise.resolve('');
  return new Promise((resolve) => {
    const number = port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port);
    const socket = connect(number, hostname.replace(/^\[(.*)\]$/, '$1'));
    const end = (why: string): void => {
      socket.destroy();
      resolve(why);
    };
    socket.setTimeout(CONNECT_MS, () => end('no answer in time'));
    socket.on('connect', () => end(''));
    socket.on('error', (error) => end(error.message));
  });
}

function serverUrl(server: string): URL {
  try {
    const url = new URL(/^https?:/i.test(server) ? server : `http://${server}`);
    if (url.hostname !== '' && url.username === '' && url.password === '') return url;
  } catch {
    // Said below.
  }
  throw new Refusal(`--server: expected http://HOST:PORT/PATH, found ${JSON.stringify(server)}`, 2);
}

/** The lines of openssl that tell of a fault, without its places in source files. */
function faults(said: string): string {
  const lines = said
    .split('\n')
    .filter((line) => /error|warn|fail|reject|denied|refused|timeout|unable|cannot/i.test(line))
    .map((line) => line.replace(/^(?:[0-9A-F]{6,}:)?(.*?):[^:]*\.c:[0-9]+:?/, '$1:').trim());
  return (lines.length > 0 ? lines : said.trim().split('\n')).slice(-8).join('\n');
}
