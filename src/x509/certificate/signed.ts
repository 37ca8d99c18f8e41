/** What certificates and CRLs have in common: a SEQUENCE of what is signed, the algorithm, and the signature (RFC 5280 §4.1, §5.1). */

import { DerReader, hexHead, MalformedDer, sameOctets, TAG } from '../der/index.js';
import type { AlgorithmFacts } from './facts.js';

/** The three parts, in octets and as read; `tbsReader` stands at the first field of what is signed. */
export interface SignedParts {
  readonly tbs: Uint8Array;
  readonly tbsReader: DerReader;
  readonly algorithmDer: Uint8Array;
  readonly signatureAlgorithm: AlgorithmFacts;
  readonly signature: Uint8Array;
}

/**
 * @param field names the whole in errors, `tbsField` what is signed
 * @throws {MalformedDer}
 */
export function readSigned(der: Uint8Array, field: string, tbsField: string): SignedParts {
  const file = new DerReader(der);
  const outer = file.sequence(field);
  file.finish(field);
  const tbsReader = outer.sequence(tbsField);
  const tbs = outer.element();
  outer.next(TAG.sequence, 'signatureAlgorithm');
  const algorithmDer = outer.element();
  const signatureAlgorithm = readAlgorithm(outer.inside(), 'signatureAlgorithm');
  const signature = wholeOctets(outer, 'signatureValue');
  outer.finish(field);
  return { tbs, tbsReader, algorithmDer, signatureAlgorithm, signature };
}

/**
 * RFC 5280 §4.1.1.2, §5.1.1.2: the same algorithm identifier inside what is signed.
 * @throws {MalformedDer}
 */
export function sameAlgorithmInside(tbsReader: DerReader, algorithmDer: Uint8Array): void {
  tbsReader.next(TAG.sequence, 'signature');
  if (sameOctets(tbsReader.element(), algorithmDer)) return;
  const expected = `${hexHead(algorithmDer)} as in signatureAlgorithm`;
  throw new MalformedDer('signature', expected, hexHead(tbsReader.element()));
}

/** Content of an AlgorithmIdentifier. */
export function readAlgorithm(content: DerReader, field: string): AlgorithmFacts {
  const oid = content.oid(field);
  let parameters: Uint8Array | undefined;
  if (!content.done) {
    content.any(field);
    parameters = content.element();
    content.finish(field);
  }
  return Object.freeze({ oid, parameters });
}

/**
 * A BIT STRING that holds whole octets.
 * @throws {MalformedDer}
 */
export function wholeOctets(reader: DerReader, field: string): Uint8Array {
  const { octets, unused } = reader.bits(field);
  if (unused !== 0) throw new MalformedDer(field, 'whole octets', `${unused} unused bits`);
  return octets;
}
