/** What the values of keys may be: numbers with their bounds, switches, choices, paths, addresses. */

import { z } from 'zod';
import { flag, resolvePath, word } from '../reading/index.js';
import { type ListenAddress, parseListen } from '../values/index.js';
import { type Kind, kind } from './kind.js';

const code = (value: unknown): string => `\`${value}\``;

/** What is taken as it stands. */
function plain<Value>(shape: z.ZodType<Value>, values: string): Kind<Value, z.ZodType<Value>> {
  return { shape, values, read: (given) => given, said: code };
}

const whole = (least: number, most: number, of: string): z.ZodType<number> =>
  z.int().min(least).max(most).describe(`${of} from ${least} to ${most}`);

export const seconds = (least: number, most: number) =>
  plain(whole(least, most, 'whole seconds'), `${least} to ${most} s`);
export const milliseconds = (least: number, most: number) =>
  plain(whole(least, most, 'whole milliseconds'), `${least} to ${most} ms`);
export const octets = (least: number, most: number) =>
  plain(whole(least, most, 'whole octets'), `${least} to ${most} octets`);
/** How many there are of something. */
export const count = (least: number, most: number, of?: string) =>
  plain(whole(least, most, of === undefined ? 'a whole number' : `a whole number of ${of}`), `${least} to ${most}`);
export const entries = plain(
  z.int().min(1).max(100_000_000).describe('a whole number of entries, at least 1'),
  'number of entries',
);

/** One of some words. */
export function choice<const Options extends readonly string[]>(...options: Options) {
  return plain<Options[number]>(z.enum(options), options.map(code).join(', '));
}

export const yesNo = plain(flag, '`true`, `false`');
export const onOff = kind({
  shape: z.enum(['on', 'off']),
  values: '`on`, `off`',
  read: (given) => given === 'on',
  said: (value) => code(value ? 'on' : 'off'),
});

/** A path, from the directory of the file that names it. */
export const path: Kind<string, z.ZodString> = {
  shape: word('a path'),
  values: 'path',
  read: (given, site) => resolvePath(site.file, given),
  said: code,
};

/** A path, or the word for none. */
export const pathOr = (none: 'off' | 'stderr') =>
  kind<string | undefined, z.ZodString>({
    shape: word(`a path, or ${none}`),
    values: `path or \`${none}\``,
    read: (given, site) => (given === none ? undefined : resolvePath(site.file, given)),
    said: (value) => code(value ?? none),
  });

/** The same for a key whose default is a word of docs/policy.md. */
export const optional = <Value, Shape extends z.ZodType>(of: Kind<Value, Shape>) =>
  kind<Value | undefined, Shape>({ ...of, said: (value) => (value === undefined ? '' : of.said(value)) });

export const listener = kind<ListenAddress | undefined, z.ZodString>({
  shape: word('an IP address and a port, as in 127.0.0.1:7060, or off'),
  values: '`address:port` or `off`',
  read: (given, site) => (given === 'off' ? undefined : parseListen(given, site, 0)),
  said: (value) => code(value === undefined ? 'off' : `${value.address}:${value.port}`),
});

/** Names of nodes, fleets, clients and tokens stand in logs. */
export const CREDENTIAL_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
export const NAME_VALUES = 'letters, digits, `.`, `_`, `-`; at most 64';

export const name = (of: string) =>
  kind<string, z.ZodString>({
    shape: word(`the name of ${of}`),
    values: NAME_VALUES,
    read: (given, site) => {
      if (!CREDENTIAL_NAME.test(given)) {
        const expected = 'expected a letter or digit, and at most 63 letters, digits, ".", "_" and "-" after it';
        site.report('bad-value', `${expected}, found ${JSON.stringify(given)}`);
      }
      return given;
    },
    said: code,
  });

/** Permission bits. */
export const mode = kind<number, z.ZodString>({
  shape: word('octal digits in quotes, as in "0660"'),
  values: 'octal digits',
  read: (given, site) => {
    if (/^0?[0-7]{3}$/.test(given)) return Number.parseInt(given, 8);
    site.report('bad-value', `expected three octal digits, as in "0660", found ${JSON.stringify(given)}`);
    return 0;
  },
  said: (value) => code(`"0${value.toString(8)}"`),
});
