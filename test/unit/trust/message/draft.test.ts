import { describe, expect, it } from 'vitest';
import { Draft, isSendable } from '../../../../src/trust/message/draft.js';
import { block } from '../../sip/support.js';

describe('Draft', () => {
  it('ok/untouched: nothing to do', () => {
    expect(new Draft(block('P-Foo: 1', 'p-foo: 2')).finish()).toEqual({
      remove: [],
      append: [],
      unsendable: [],
      irregular: [],
    });
  });

  it('ok/one row edited: all rows of the name are written anew, in order', () => {
    const draft = new Draft(block('r: a', 'Via: x', 'Refer-To :  b'));
    draft.set(draft.rows('refer-to')[1]!, 'c');
    expect(draft.finish()).toMatchObject({ remove: ['Refer-To'], append: ['Refer-To: a', 'Refer-To: c'] });
  });

  it('ok/an empty new value drops the row, an empty old one stays', () => {
    const draft = new Draft(block('Subject: a', 'Subject:'));
    draft.edit('subject', () => '');
    expect(draft.rows('subject')).toHaveLength(1);
    expect(draft.isGone('subject')).toBe(false);
  });

  it('ok/gone is what was there', () => {
    const draft = new Draft(block('Subject: a'));
    draft.removeAll('subject');
    expect([draft.isGone('subject'), draft.isGone('organization')]).toEqual([true, false]);
    expect(draft.finish()).toMatchObject({ remove: ['Subject'], append: [] });
  });

  it('fail/T-74 P-14 what cannot be sent is left out and reported', () => {
    const draft = new Draft(block('Subject: a', 'Subject: b'));
    draft.set(draft.rows('subject')[0]!, 'x\r\nP-Asserted-Identity: y');
    expect(draft.finish()).toMatchObject({ remove: ['Subject'], append: ['Subject: b'], unsendable: ['subject'] });
  });

  it('fail/a row that the proxy does not find by its name is reported', () => {
    const draft = new Draft(block('P-Foo\x01: a'));
    draft.removeAll('p-foo');
    expect(draft.finish().irregular).toEqual(['p-foo']);
  });
});

describe('isSendable', () => {
  it.each(['', 'a\tb', 'J\xc3\xbcrgen', '"x" <sip:y>'])('ok/%j', (text) => {
    expect(isSendable(text)).toBe(true);
  });
  it.each(['a\r\nb', 'a\n', '\r', 'a\0b', '\x1b', '\x7f', '\xfc', '\xe2\x80\xa8', '\xc2\x85', '\xc3'])(
    'fail/%j',
    (text) => {
      expect(isSendable(text)).toBe(false);
    },
  );
});
