/** The `address_file` of Kamailio's module permissions: a group, an address, a mask, a port and a tag in a line. */

import { type Table, TableBuilder } from './table.js';

/** The rows of the file; after # a line is comment, and what a line lacks at its end has its default. */
export function readAddressFile(file: string, text: string): Table {
  const builder = new TableBuilder(file);
  text.split('\n').forEach((raw, index) => {
    const words = (raw.split('#', 1)[0] ?? '').trim().split(/\s+/);
    if (words.length === 1 && words[0] === '') return;
    const [group = '', address, mask, port, tag, ...rest] = words;
    const grp = /^\(([0-9]+)\)$/.exec(group)?.[1] ?? group;
    if (!/^[0-9]+$/.test(grp) || address === undefined || rest.length > 0) {
      const found = JSON.stringify(raw.slice(0, 60));
      builder.unread(index + 1, `expected "group address mask port tag", found ${found}`);
      return;
    }
    builder.row(index + 1, ['grp', 'ip_addr', 'mask', 'port', 'tag'], [grp, address, mask, port, tag]);
  });
  return builder.done();
}
