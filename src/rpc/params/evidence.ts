/** The params of `trust.peer` and `trust.message`, and the evidence that they become. */

import { z } from 'zod';
import { parseAddress } from '../../net/address/index.js';
import type { Evidence, TlsEvidence } from '../../trust/evidence/index.js';
import { domainText, foldByteParams } from './byte-params.js';
import { wholeNumber } from './numbers.js';
import { type CertificateReader, MOST_CHAIN_CERTIFICATES, readChain } from './peer-chain.js';

const port = wholeNumber(0, 65535);
const bit = z.union([
  z.literal([1, '1', true, 'true']).transform(() => true),
  z.literal([0, '0', false, 'false']).transform(() => false),
]);
const text = z.string();
const address = z.string().transform((value, context) => {
  const found = parseAddress(value);
  if (found !== undefined) return found.text;
  context.issues.push({ code: 'custom', message: 'an IPv4 or IPv6 address', input: value });
  return z.NEVER;
});

const tls = z.strictObject({
  pem: text.optional(),
  chain: z.union([text, z.array(text.nullable())]).optional(),
  /** So many certificates of the chain the proxy tells one by one, each where the answer before lacked it. */
  links: wholeNumber(1, MOST_CHAIN_CERTIFICATES).optional(),
  verified: bit.optional(),
  version: text.optional(),
  cipher: text.optional(),
  sni: text.optional(),
  attributes: z.record(z.string(), z.string()).optional(),
  /** A certificate counts only as the proxy's TLS stack saw it, never out of a header (rulebook T-10). */
  source: z.literal('stack').optional(),
});

/** The evidence params that both methods share. */
export const evidenceShape = {
  direction: z.literal(['in', 'out']),
  proto: text.transform((value) => value.toLowerCase()).pipe(z.literal(['udp', 'tcp', 'tls', 'ws', 'wss', 'sctp'])),
  conid: z.union([z.string(), z.number()]).transform(String).optional(),
  src_ip: address.optional(),
  src_port: port.optional(),
  rcv_ip: address.optional(),
  rcv_port: port.optional(),
  tls: tls.optional(),
  next_hop: domainText.optional(),
};

export const peerParams = z.preprocess((params) => foldByteParams(params), z.strictObject(evidenceShape));

export type EvidenceParams = z.output<typeof peerParams>;

/** Evidence out of checked params. */
export function toEvidence(params: EvidenceParams, readCertificate: CertificateReader): Evidence {
  return {
    direction: params.direction,
    transport: params.proto,
    connectionId: params.conid,
    sourceAddress: params.src_ip,
    sourcePort: params.src_port,
    localAddress: params.rcv_ip,
    localPort: params.rcv_port,
    tls: params.tls === undefined ? undefined : toTlsEvidence(params.tls, readCertificate),
    nextHop: params.next_hop,
  };
}

/** Whether the proxy has certificates of the chain that it has not told yet. One that it has not (`<null>`: a session that was resumed) is told. */
export function keepsLinks({ tls }: Pick<EvidenceParams, 'tls'>, { tls: evidence }: Evidence): boolean {
  const { certificates = [], ignored = [] } = evidence?.chain ?? {};
  const places = [tls?.chain ?? []].flat().flatMap((text) => text?.split(',') ?? text).length;
  return tls?.links !== undefined && Math.max(places, certificates.length + ignored.length) < tls.links;
}

/** A session that was resumed (RFC 8446 §2.2): its certificate was verified, and the proxy has nothing of what signed it. */
export function isResumed({ tls }: Pick<EvidenceParams, 'tls'>, { tls: evidence }: Evidence): boolean {
  return tls?.links !== undefined && evidence?.verified === true && evidence.chain === undefined;
}

/** Proxies that put the whole chain into one text (PEM one after the other, urlencoded or not): the first is the peer's. */
function hasSeveral(pem: string | undefined): pem is string {
  return pem !== undefined && pem.indexOf(BEGIN) !== pem.lastIndexOf(BEGIN);
}

const BEGIN = '-----BEGIN';

function toTlsEvidence(given: z.output<typeof tls>, readCertificate: CertificateReader): TlsEvidence {
  const certificate = given.pem === undefined ? undefined : readCertificate(given.pem);
  const leaf = certificate === undefined || 'malformed' in certificate ? undefined : certificate;
  const texts = [...(hasSeveral(given.pem) ? [given.pem] : []), ...[given.chain ?? []].flat()];
  const chain = texts.length === 0 ? undefined : readChain(texts, leaf, readCertificate);
  return {
    certificate,
    ...(chain === undefined ? {} : { chain }),
    // Not told is not verified.
    verified: given.verified ?? false,
    version: given.version,
    cipher: given.cipher,
    sni: given.sni,
    attributes: given.attributes,
  };
}
