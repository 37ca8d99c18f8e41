/**
 * What it takes to ask a question again: the params of `trust.peer` as they were understood, where certificates stand by
 * their SHA-256. Nobody who calls is in there: the other end of a connection is a network.
 */

import type { Evidence, TlsEvidence } from '../trust/evidence/index.js';
import type { Verdict } from '../trust/verdict/index.js';

/** What stands in place of the PEM text: the name of the certificate, or why it could not be read. */
export const BY_SHA256 = 'sha256:';
export const UNREADABLE = 'unreadable:';

/** Params of `trust.peer`; beside them `status`, where the path was known not to be revoked. */
export type Asked = Readonly<Record<string, unknown>>;

/** The question behind an answer. */
export function askedOf(evidence: Evidence, verdict: Verdict): Asked {
  const { tls } = evidence;
  return {
    direction: evidence.direction,
    proto: evidence.transport,
    ...bytes('src_ip', evidence.sourceAddress),
    ...(evidence.sourcePort === undefined ? {} : { src_port: evidence.sourcePort }),
    ...bytes('rcv_ip', evidence.localAddress),
    ...(evidence.localPort === undefined ? {} : { rcv_port: evidence.localPort }),
    // It is text, where all else are octets.
    ...bytes('next_hop', evidence.nextHop && Buffer.from(evidence.nextHop).toString('latin1')),
    ...(tls === undefined ? {} : { tls: askedOfTls(tls) }),
    // Lists and OCSP answers that were fetched are kept nowhere: what they said of this path is.
    ...(verdict.checks.some(({ name, outcome }) => name === 'revocation' && outcome === 'pass')
      ? { status: 'good' }
      : {}),
  };
}

function askedOfTls({ certificate, chain, verified, version, cipher, sni, attributes }: TlsEvidence): Asked {
  const leaf =
    certificate === undefined
      ? {}
      : 'malformed' in certificate
        ? { pem: `${UNREADABLE}${certificate.malformed}` }
        : { pem: `${BY_SHA256}${certificate.sha256}` };
  return {
    ...leaf,
    ...(chain === undefined ? {} : { chain: chain.certificates.map(({ sha256 }) => `${BY_SHA256}${sha256}`) }),
    verified: verified ? 1 : 0,
    ...bytes('version', version),
    ...bytes('cipher', cipher),
    ...bytes('sni', sni),
    ...(attributes === undefined
      ? {}
      : { attributes: Object.assign({}, ...Object.entries(attributes).map(([name, value]) => bytes(name, value))) }),
  };
}

/** Octets of one param that a line of the log has. */
const MOST_OCTETS = 4096;

/** What stands for a text that is too long for the log; it names nobody, as little as the text does. */
export function tooLong(text: string): string {
  return `(${text.length} octets)`;
}

/** A byte string as a param: as text where it is UTF-8, else in base64. */
function bytes(name: string, value: string | undefined): Asked {
  if (value === undefined) return {};
  if (value.length > MOST_OCTETS) return { [name]: tooLong(value) };
  const octets = Buffer.from(value, 'latin1');
  const text = octets.toString('utf8');
  return Buffer.from(text, 'utf8').equals(octets) ? { [name]: text } : { [`${name}_b64`]: octets.toString('base64') };
}
