/** Links of the documentation, as they lead somewhere on a machine that has the package. */

import { posix } from 'node:path';

/** Where directories and files of the tree are installed; the longest that fits counts. */
const INSTALLED: readonly (readonly [tree: string, installed: string])[] = [
  ['README.md', 'README.md'],
  ['SECURITY.md', 'SECURITY.md'],
  ['CHANGELOG.md', 'CHANGELOG.md.gz'],
  ['LICENSE', 'copyright'],
  ['docs/', 'docs/'],
  ['kamailio-cfg', 'examples'],
  ['plugin/systemd/siptrustd.service', '/usr/lib/systemd/system/siptrustd.service'],
  ['plugin/', '/usr/share/siptrust/'],
];

/**
 * The text with each relative link leading to where the package has the file; what it does not have is named, and no link.
 * @param page path of the file in the tree: `docs/policy.md`
 */
export function packagedLinks(text: string, page: string): string {
  return text.replace(/(!?)\[([^\]\n]*)\]\((?!https?:|#|mailto:)([^)#\s]+)(#[^)\s]*)?\)/g, (link, ...parts) => {
    const [mark, label, target, anchor = ''] = parts as [string, string, string, string | undefined];
    const path = posix.join(posix.dirname(page), target);
    // Measurements stay with the sources.
    const found = path.startsWith('docs/data/')
      ? undefined
      : INSTALLED.find(([tree]) => (tree.endsWith('/') ? path.startsWith(tree) : within(path, tree)));
    if (found === undefined) return mark === '' ? `${label} (in the sources)` : link;
    const [tree, installed] = found;
    const place = `${installed}${path.slice(tree.length)}`;
    const leads = place.startsWith('/') ? place : posix.relative(posix.dirname(page), place) || '.';
    return `${mark}[${label}](${leads}${anchor})`;
  });
}

function within(path: string, tree: string): boolean {
  return path === tree || path.startsWith(`${tree}/`);
}
