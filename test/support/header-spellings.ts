/** One private field as somebody may spell it who hopes that a proxy does not find it. One character per byte. */

const VALUE = '<sip:forged@stranger.example>';

/** What a spelling is about, and the whole rows, joined by CRLF as in a message. */
export const SPELLINGS: ReadonlyMap<string, string> = new Map([
  ['as it is', `P-Asserted-Identity: ${VALUE}`],
  ['lower case', `p-asserted-identity: ${VALUE}`],
  ['upper case', `P-ASSERTED-IDENTITY: ${VALUE}`],
  ['mixed case', `p-AsSeRtEd-iDeNtItY: ${VALUE}`],
  ['two rows', `P-Asserted-Identity: ${VALUE}\r\nP-Asserted-Identity: <tel:+15550100>`],
  ['no space behind the colon', `P-Asserted-Identity:${VALUE}`],
  ['a tab behind the colon', `P-Asserted-Identity:\t${VALUE}`],
  ['a fold behind the colon', `P-Asserted-Identity:\r\n ${VALUE}`],
  ['a space before the colon', `P-Asserted-Identity : ${VALUE}`],
  ['a tab before the colon', `P-Asserted-Identity\t: ${VALUE}`],
  ['many blanks before the colon', `P-Asserted-Identity \t \t : ${VALUE}`],
  ['a fold before the colon', `P-Asserted-Identity\r\n : ${VALUE}`],
  ['a fold by tab before the colon', `P-Asserted-Identity\r\n\t: ${VALUE}`],
  ['a leading space', ` P-Asserted-Identity: ${VALUE}`],
  ['a leading tab', `\tP-Asserted-Identity: ${VALUE}`],
  ['a control before the colon', `P-Asserted-Identity\x01: ${VALUE}`],
  ['a vertical tab before the colon', `P-Asserted-Identity\v: ${VALUE}`],
  ['a form feed before the colon', `P-Asserted-Identity\f: ${VALUE}`],
  ['DEL before the colon', `P-Asserted-Identity\x7f: ${VALUE}`],
  ['a no-break space before the colon', `P-Asserted-Identity\xa0: ${VALUE}`],
  ['a no-break space in UTF-8 before the colon', `P-Asserted-Identity\xc2\xa0: ${VALUE}`],
  ['a control before the name', `\x01P-Asserted-Identity: ${VALUE}`],
  ['a no-break space before the name', `\xa0P-Asserted-Identity: ${VALUE}`],
  ['a control within the name', `P-Asserted\x02-Identity: ${VALUE}`],
  ['CR alone before the name', `Subject: x\rP-Asserted-Identity: ${VALUE}`],
  ['LF alone before the name', `Subject: x\nP-Asserted-Identity: ${VALUE}`],
  ['a line separator of Unicode before the name', `Subject: x\xe2\x80\xa8P-Asserted-Identity: ${VALUE}`],
  ['NUL behind the name', `P-Asserted-Identity\0: ${VALUE}`],
]);

/** Is anything left of the field, under whatever name? */
export function bearsAssertion(text: string): boolean {
  return /p-asserted|forged@stranger/i.test(text.replace(/[^!-~]/g, ''));
}
