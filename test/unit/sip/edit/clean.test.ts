import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  cleanAddrs,
  cleanLoose,
  cleanRequestUri,
  withoutListParams,
  withoutParamBearing,
  withoutPurposes,
  withoutTokens,
} from '../../../../src/sip/edit/clean.js';
import { runs } from '../../../support/runs.js';

const params = new Set(['orig', 'cpc', 'verstat', 'iotl']);
const rules = { params, embedded: new Set(['replaces']) };
const names = new Set(['ik', 'ck', 'integrity-protected']);

describe('cleanAddrs', () => {
  it.each([
    [
      'nothing to do, byte for byte',
      '"A, b"  <sip:x@h;lr> ;q=1 ,\t<sip:y@h>',
      '"A, b"  <sip:x@h;lr> ;q=1 ,\t<sip:y@h>',
    ],
    ['behind the host', '<sip:x@h;lr;orig;transport=tls>', '<sip:x@h;lr;transport=tls>'],
    ['in the user part', '<sip:+1;cpc=a;isub=2@h>', '<sip:+1;isub=2@h>'],
    ['behind the bracket', '<sip:x@h> ;  cpc=a ;tag=1', '<sip:x@h>  ;tag=1'],
    ['behind a bare URI', 'sip:x@h;verstat=a;tag=1', 'sip:x@h;tag=1'],
    ['in a tel URI', '<tel:+1;verstat=a;ext=2>', '<tel:+1;ext=2>'],
    ['twice', '<sip:x@h;orig;orig=1>', '<sip:x@h>'],
    ['escaped', '<sip:x@h;%4frig>', '<sip:x@h>'],
    ['not in the display name', '"a;orig" <sip:x@h>', '"a;orig" <sip:x@h>'],
    ['not as a part of a name', '<sip:x@h;original;my-orig>', '<sip:x@h;original;my-orig>'],
    ['not as a value', '<sip:x@h;a=orig>', '<sip:x@h;a=orig>'],
    ['embedded', '<sip:x@h?a=b&Replaces=1>', '<sip:x@h?Replaces=1>'],
    ['embedded, all', '<sip:x@h?a=b>', '<sip:x@h>'],
    ['an http query stays', '<http://h/?a=b;orig2>', '<http://h/?a=b;orig2>'],
    ['a URI in a feature tag', '<sip:x@h>;+g.3gpp.trf="<sip:t;iotl=a-b;lr>"', '<sip:x@h>;+g.3gpp.trf="<sip:t;lr>"'],
  ])('ok/%s', (_, value, expected) => {
    expect(cleanAddrs(value, rules)).toEqual({ value: expected, clean: true });
  });

  it.each([
    ['a quote that never ends', '"x <sip:x@h;orig>'],
    ['a bracket that never ends', '<sip:x@h;orig'],
    ['two at signs', '<sip:x@y@h;orig>'],
    ['white space in the URI', '<sip:x@h ;orig>'],
    ['another scheme', '<im:x@h;orig>'],
    ['a bare URI with a question mark', 'sip:x@h?Subject=a'],
  ])('fail/%s is not clean', (_, value) => {
    expect(cleanAddrs(value, rules).clean).toBe(false);
  });

  it('ok/any text: what is called clean is stable', () => {
    const text = fc
      .array(
        fc.constantFrom(
          '<',
          '>',
          '"',
          ';',
          ',',
          '?',
          '=',
          '&',
          '@',
          ':',
          ' ',
          'sip:',
          'tel:+1',
          'h',
          'orig',
          'cpc=x',
          'Subject=y',
          '\\',
          '%6Frig',
          '[::1]',
        ),
        { maxLength: 14 },
      )
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(text, (value) => {
        const once = cleanAddrs(value, rules);
        if (once.clean) expect(cleanAddrs(once.value, rules)).toEqual(once);
      }),
      { numRuns: runs(800) },
    );
  });
});

describe('cleanRequestUri', () => {
  it.each([
    ['sip:x@h;orig;user=phone', 'sip:x@h;user=phone', true],
    ['sip:x@h?Route=a&Replaces=b', 'sip:x@h?Replaces=b', true],
    ['tel:+1;cpc=a', 'tel:+1', true],
    ['urn:service:sos', 'urn:service:sos', true],
    ['sip:x@h', 'sip:x@h', true],
    ['sip:x y@h;orig', 'sip:x y@h;orig', false],
    ['<sip:x@h;orig>', '<sip:x@h;orig>', false],
  ])('ok/%s', (uri, value, clean) => {
    expect(cleanRequestUri(uri, rules)).toEqual({ value, clean });
  });
});

describe('cleanLoose', () => {
  it('ok/feature tags', () => {
    expect(cleanLoose('*;+g.3gpp.trf="<sip:t;iotl=a>"', rules)).toEqual({
      value: '*;+g.3gpp.trf="<sip:t>"',
      clean: true,
    });
  });
});

describe('withoutListParams', () => {
  it.each([
    ['Digest realm="a, ik=b", ik="1",ck=2, qop="auth"', 'Digest realm="a, ik=b", qop="auth"'],
    ['Digest ik="1", realm="a"', 'Digest realm="a"'],
    ['Digest  ck = "1" , ik="2",realm="a"', 'Digest realm="a"'],
    ['Digest IK="1"', 'Digest'],
    ['ik=1;x=2', 'x=2'],
    ['icid=1;ik=2;ioi=3', 'icid=1;ioi=3'],
    ['ik=1', ''],
    ['Digest realm="a"', 'Digest realm="a"'],
    ['ID ,none', 'ID ,none'],
    ['', ''],
  ])('ok/%s', (value, expected) => {
    expect(withoutListParams(value, { named: names, allBut: undefined })).toEqual({ value: expected, clean: true });
  });

  it.each(['Digest realm="a ik="1"', 'Digest realm=a ik=1'])('fail/%s is not clean', (value) => {
    expect(withoutListParams(value, { named: names, allBut: undefined }).clean).toBe(false);
  });
});

describe('tokens and parameter values', () => {
  it.each([
    ['100rel , Sec-Agree,timer', '100rel, timer'],
    ['sec-agree', ''],
    ['100rel,timer', '100rel,timer'],
    ['sec-agreement', 'sec-agreement'],
    ['', ''],
  ])('ok/%s', (value, expected) => {
    expect(withoutTokens(value, (token) => token === 'sec-agree')).toBe(expected);
  });

  it.each([
    ['<http://x>;purpose=icon', '<http://x>;purpose=icon'],
    [
      '<http://x>;purpose=icon, <http://y;purpose=card>;a=b , <http://z> ; Purpose = "CARD"',
      '<http://x>;purpose=icon, <http://y;purpose=card>;a=b',
    ],
    ['<http://x>;purpose=card', ''],
  ])('ok/%s', (value, expected) => {
    expect(withoutPurposes(value, new Set(['card']))).toBe(expected);
  });
});

describe('withoutParamBearing', () => {
  it.each([
    ['<sip:a@b>;q=1', '<sip:a@b>;q=1'],
    ['<sip:a@b>;id="<urn:x:1>";q=1', '<sip:a@b>;q=1'],
    ['<sip:a@b> ; ID = "<URN:X:1>" ;q=1', '<sip:a@b>  ;q=1'],
    ['<sip:a@b>;id=<urn:x:1>;q=1, <sip:c@d>;id=urn:x:2', '<sip:a@b>;q=1, <sip:c@d>'],
    ['<sip:a@b;id=urn:x:1>;q=1', '<sip:a@b>;q=1'],
    ['<sip:a@b>;id="<urn:y:1>";other="<urn:x:1>"', '<sip:a@b>;id="<urn:y:1>";other="<urn:x:1>"'],
    ['"urn:x:" <sip:a@b>;id="<urn:y:1>"', '"urn:x:" <sip:a@b>;id="<urn:y:1>"'],
    ['<sip:a@b>;id="a\\";<urn:x:1>";q=1', '<sip:a@b>;q=1'],
    ['*', '*'],
    ['', ''],
  ])('ok/%s', (value, expected) => {
    expect(withoutParamBearing(value, 'id', ['urn:x:'])).toEqual({ value: expected, clean: true });
  });

  it.each([
    '<sip:a@b>;id="<urn:x:1>',
    '<sip:a@b>;id=""<urn:x:1>""',
    '<sip:a@b> id="<urn:x:1>"',
    '<sip:a@b>;x="y;id="\\<urn:x:1>"',
  ])('fail/%s is not clean', (value) => {
    expect(withoutParamBearing(value, 'id', ['urn:x:']).clean).toBe(false);
  });
});
