/** debian/copyright (DEP-5): siptrust, and each npm package that is shipped with it. */

import type { Module } from './modules.js';

const APACHE = ' On Debian systems, the text is in /usr/share/common-licenses/Apache-2.0.';

/** `license` is that of siptrust itself. */
export function copyrightFile(license: string, modules: readonly Module[]): string {
  const stanzas = modules.map(({ path, author, license: its, licenseText }) => {
    const lines = copyrightLines(licenseText ?? '');
    return [
      `Files: usr/lib/siptrust/${path}/*`,
      `Copyright: ${(lines.length === 0 ? [author] : lines).join('\n           ')}`,
      `License: ${its}`,
    ].join('\n');
  });
  const texts = new Map<string, string>([[license, APACHE]]);
  for (const { license: its, licenseText, path } of modules) {
    if (texts.has(its)) continue;
    if (its === 'Apache-2.0') texts.set(its, APACHE);
    else if (licenseText !== undefined) texts.set(its, indented(licenseText));
    else if (modules.every((each) => each.license !== its || each.licenseText === undefined)) {
      throw new Error(`${path}: expected the text of its licence ${its} in a file, found none`);
    }
  }
  return `${[
    'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nUpstream-Name: siptrust',
    `Files: *\nCopyright: the authors of siptrust\nLicense: ${license}`,
    ...stanzas,
    ...[...texts].map(([name, text]) => `License: ${name}\n${text}`),
  ].join('\n\n')}\n`;
}

function copyrightLines(text: string): readonly string[] {
  const lines = text.split(/\r?\n/).map((line) => line.replace(/^[\s#*]+/, '').trim());
  const found = lines.filter((line) => /^(Portions )?Copyright\s+(\(c\)|©|\d{4})/i.test(line) && line.length < 200);
  return [...new Set(found.map((line) => line.replace(/^Copyright\s*/i, '').replace(/\s+/g, ' ')))];
}

/** The words of the licence; whose copyright it is stands in each stanza. */
function indented(text: string): string {
  const lines = text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => !/^([#*\s]*)(Portions )?Copyright\s+(\(c\)|©|\d)/i.test(line) && !/^[=-]+$/.test(line));
  return lines
    .join('\n')
    .trim()
    .split('\n')
    .map((line) => (line === '' ? ' .' : ` ${line}`))
    .join('\n');
}
