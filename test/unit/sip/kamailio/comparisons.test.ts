/**
 * What functions of Kamailio say in conditions of the plugin is compared. Most say no by -1, and with return_mode=1 (5.7) that
 * counts as true where nothing is compared: nobody was a stranger, and each message was clean.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const PLUGIN = new URL('../../../../plugin/kamailio/', import.meta.url);

/** A line without its strings, and with a word in place of each variable. */
function bare(line: string): string {
  let text = line.replace(/"(?:\\.|[^"\\])*"/g, '');
  for (let before = ''; before !== text; ) {
    before = text;
    text = text.replace(/\$\(\w+\([^()]*\)[^()]*\)|\$\w*\([^()]*\)/g, '$x');
  }
  return text;
}

function uncompared(text: string): readonly string[] {
  return text
    .split('\n')
    .filter((line) => !/^\s*#(?!!(?:try|re)?def)/.test(line))
    .map(bare)
    .filter((line) => /\b(?:if|while) \(|&&|\|\||#!(?:try|re)?def/.test(line))
    .filter((line) => /(?<![\w$])(?!(?:if|while)\b)[a-z]\w*\([^()]*\)(?! (?:> 0|< 1)\b)|![a-z]\w*\(/.test(line));
}

test.each(readdirSync(PLUGIN).filter((name) => name.endsWith('.cfg')))('ok/%s', (name) => {
  expect(uncompared(readFileSync(new URL(name, PLUGIN), 'utf8'))).toEqual([]);
});
test('fail/what is not compared is found', () => {
  const lines = [
    '\tif (is_reply()) {',
    '\t\t\t&& !is_method("ACK"))',
    '#!define A (route(B) || $x)',
    'if (!is_ip("$x") < 1) {',
  ];
  expect(uncompared(lines.join('\n'))).toHaveLength(lines.length);
});
