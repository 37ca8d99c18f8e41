/** Expressions of POSIX that the scripts of both proxies run over messages. */

import type { Bearing } from '../table/index.js';

/** Text without these characters and without an escaped semicolon; `more`: what else may stand in it. */
export function withoutEscapedSemicolon(stops: string, more: string): string {
  const behind = (but: string): string => `[^%${but}${stops}]`;
  return `(${behind('')}${more}|%(%|3%)*(${behind('3')}|3${behind('b')}))*(%(%|3%)*3?)?`;
}

/** A parameter in quotes whose value bears one of these: what the list takes out of a field. POSIX, without regard to case. */
export function bearingParam({ param, names }: Bearing): string {
  const blanks = '[ \t]*';
  const text = '[^"\\\\]*';
  return `;${blanks}${literal(param)}${blanks}=${blanks}"${text}(${names.join('|')})${text}"`;
}

/** Characters that stand for themselves. */
export function literal(name: string): string {
  return name.replace(/[.+]/g, (char) => `[${char}]`);
}
