import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  editAddrList,
  withoutAddrParams,
  withoutEmbeddedHeaders,
  withoutEmbeddedKeys,
  withUri,
} from '../../../../src/sip/edit/edit.js';
import { type NameAddr, parseNameAddr } from '../../../../src/sip/grammar/name-addr.js';
import { parseUri, type Uri } from '../../../../src/sip/grammar/uri.js';

const uri = (text: string): Uri => {
  const parsed = parseUri(text);
  if (parsed.kind === 'malformed') throw new Error(parsed.detail);
  return parsed;
};
const addr = (text: string): NameAddr => {
  const parsed = parseNameAddr(text);
  if ('malformed' in parsed) throw new Error(parsed.malformed);
  return parsed;
};
const CPC = new Set(['cpc', 'oli', 'verstat', 'iotl', 'orig']);

describe('parameters', () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ['ok/nothing to do', 'sip:a@b;user=phone', 'sip:a@b;user=phone'],
    ['ok/behind the host', 'sip:a@b;cpc=x;user=phone;OLI=2', 'sip:a@b;user=phone'],
    ['ok/in the user part (T-62)', 'sip:+1;cpc=operator;npdi@b;user=phone', 'sip:+1;npdi@b;user=phone'],
    ['ok/in both (T-62)', 'sip:+1;cpc=x@b;cpc=y', 'sip:+1@b'],
    ['ok/before a password', 'sip:+1;cpc=x:pw@b', 'sip:+1:pw@b'],
    ['ok/before embedded fields', 'sip:a@b;iotl=homea-homeb?X=y;cpc=z', 'sip:a@b?X=y;cpc=z'],
    ['ok/flag (T-61)', 'sip:b;lr;orig', 'sip:b;lr'],
    ['ok/tel', 'tel:+1;CPC=x;phone-context=y;verstat=z', 'tel:+1;phone-context=y'],
    ['ok/escaped name', 'sip:a@b;%63pc=x', 'sip:a@b'],
    ['ok/escaped separators', 'sip:+1%3Bcpc%3Dx@b', 'sip:+1@b'],
    ['ok/odd bytes beside it stay', 'sip:a@b;;X=%4a;cpc=;;', 'sip:a@b;;X=%4a;;'],
    ['ok/repeated', 'sip:a@b;cpc=1;cpc=2', 'sip:a@b'],
    ['ok/other names that start alike stay', 'sip:a@b;cpcx=1;xcpc=2', 'sip:a@b;cpcx=1;xcpc=2'],
    ['ok/values alike stay', 'sip:cpc@b;x=cpc', 'sip:cpc@b;x=cpc'],
    ['ok/other schemes are opaque', 'urn:x;cpc=y', 'urn:x;cpc=y'],
  ];
  it.each(cases)('%s', (_case, text, expected) => {
    expect(withoutAddrParams(addr(`<${text}>`), CPC)).toBe(`<${expected}>`);
    expect(withoutAddrParams(addr(`<${expected}>`), CPC)).toBe(`<${expected}>`);
  });

  it('ok/all three positions of an address (P-10, T-63)', () => {
    const text = '"A;cpc=x" <sip:+1;verstat=a@b;verstat=b>;verstat=c;tag=1 ; Verstat = "d"';
    expect(withoutAddrParams(addr(text), CPC)).toBe('"A;cpc=x" <sip:+1@b>;tag=1 ');
    expect(withoutAddrParams(addr('tel:+1;verstat=x;y'), CPC)).toBe('tel:+1;y');
  });

  it('ok/another URI, all else as it was', () => {
    expect(withUri(addr('"A" <sip:a@b> ;tag=1'), 'sip:c')).toBe('"A" <sip:c> ;tag=1');
    expect(withUri(addr('sip:a@b;tag=1'), 'sip:c')).toBe('sip:c;tag=1');
  });
});

describe('embedded fields (P-9)', () => {
  const keep = new Set(['replaces']);
  const cases: readonly (readonly [string, string, string, string])[] = [
    // [case, URI, without any, without any but Replaces]
    ['ok/none', 'sip:a@b;x', 'sip:a@b;x', 'sip:a@b;x'],
    ['ok/PAI (T-52)', 'sip:a@b?P-Asserted-Identity=x', 'sip:a@b', 'sip:a@b'],
    ['ok/one to keep', 'sip:a@b?X=y&REPLACES=z&W=v', 'sip:a@b', 'sip:a@b?REPLACES=z'],
    ['ok/escaped name', 'sip:a@b?%52eplaces=z&%58=y', 'sip:a@b', 'sip:a@b?%52eplaces=z'],
    ['ok/? in the user part and in a value', 'sip:a?b@c?X=y?z&Replaces=w?', 'sip:a?b@c', 'sip:a?b@c?Replaces=w?'],
    ['ok/empty parts', 'sip:a@b?&&X=y&', 'sip:a@b', 'sip:a@b'],
    ['ok/only what is kept stays byte for byte', 'sip:a@b?&Replaces=z', 'sip:a@b', 'sip:a@b?&Replaces=z'],
    ['ok/tel has none', 'tel:+1', 'tel:+1', 'tel:+1'],
  ];
  it.each(cases)('%s', (_case, text, all, some) => {
    expect(withoutEmbeddedHeaders(uri(text))).toBe(all);
    expect(withoutEmbeddedHeaders(uri(text), keep)).toBe(some);
  });

  it('ok/by key', () => {
    expect(withoutEmbeddedKeys(uri('sip:a?Privacy=x&Reason=y'), new Set(['privacy']))).toBe('sip:a?Reason=y');
    expect(withoutEmbeddedKeys(uri('sip:a?f=x'), new Set(['from']))).toBe('sip:a');
  });
});

describe('lists', () => {
  it('ok/what does not concern the edit is not read', () => {
    const read: string[] = [];
    const edit = ({ raw }: { readonly raw: string }) => {
      read.push(raw);
      return 'X';
    };
    const value = `${','.repeat(15_000)} <sip:a@h;x> ,<sip:b@h>`;
    expect(editAddrList(value, edit, (piece) => piece.includes(';'))).toBe(`${','.repeat(15_000)} X ,<sip:b@h>`);
    expect(read).toEqual(['<sip:a@h;x>']);
  });

  it('ok/elements change or go, blanks and commas stay', () => {
    const value = ' "A, B" <sip:a@b;cpc=x> ,  <tel:+1>,\t<mailto:x@y> , <sip:c@d>';
    const edited = editAddrList(value, (element) => {
      if ('malformed' in element || element.uri.kind === 'other') return undefined;
      return withoutAddrParams(element, CPC);
    });
    expect(edited).toBe('"A, B" <sip:a@b> ,  <tel:+1>, <sip:c@d>');
  });

  it('ok/nothing left', () => {
    expect(editAddrList('<sip:a@b>, junk', () => undefined)).toBe('');
  });

  it('ok/an untouched list is the same text', () => {
    for (const value of ['<sip:a@b>,"x" <sip:c@d> , sip:e@f;g=h', 'junk,,"', '']) {
      expect(editAddrList(value, (element) => element.raw)).toBe(value);
    }
  });
});

describe('properties', () => {
  it('ok/removal takes every spelling in every place, is idempotent, and touches nothing else', () => {
    const name = fc.constantFrom('cpc', 'CPC', 'Oli', '%63pc', 'lr', 'x-cpc', 'transport', 'verstat');
    const param = fc.tuple(name, fc.constantFrom('', '=', '=1', '=%41')).map(([a, b]) => `;${a}${b}`);
    const params = fc.array(param, { maxLength: 5 });
    const removed = (list: readonly string[]): string =>
      list.filter((text) => !/^;(cpc|oli|%63pc|verstat)($|=)/i.test(text)).join('');
    fc.assert(
      fc.property(params, params, params, (inUser, inUri, inHeader) => {
        // Header parameters are tokens: there a percent sign escapes nothing.
        const plain = inHeader.filter((text) => !text.startsWith(';%63pc'));
        const after = withoutAddrParams(
          addr(`"n" <sip:+1${inUser.join('')}@h${inUri.join('')}>${plain.join('')}`),
          CPC,
        );
        expect(after).toBe(`"n" <sip:+1${removed(inUser)}@h${removed(inUri)}>${removed(plain)}`);
        expect(withoutAddrParams(addr(after), CPC)).toBe(after);
      }),
    );
  });
});
