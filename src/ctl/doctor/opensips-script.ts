/** The routes of an OpenSIPS script, as far as doctor looks: no more of the language than comments, strings and braces. */

export interface OpensipsRoute {
  /** `route`, `branch_route`, ... */
  readonly kind: string;
  /** `""` for the one without a name. */
  readonly name: string;
  /** What stands between its braces, without blanks. */
  readonly body: string;
  /** Of its first line. */
  readonly line: number;
}

/** A comment or a string that nobody closes goes to the end. */
const TOKEN = /#[^\n]*|\/\*.*?(?:\*\/|$)|"(?:[^"\\]|\\.)*"?|'[^'\n]*'|[^#/"']+|./gs;
/** Each string of a text that has no comments. */
export const STRINGS = /"(?:[^"\\]|\\.)*"|'[^'\n]*'/g;
const HEAD = /(?:^|\n)[ \t]*([a-z_]*route)(?:[ \t]*\[([^\]\n]*)\])?\s*\{/g;

/** Comments become blanks, so that lines keep their numbers; a string stays, without braces. */
function plain(text: string): string {
  const blank = (piece: string) => piece.replace(/[^\n]/g, ' ');
  return text.replace(TOKEN, (piece) => {
    if (piece.startsWith('#') || piece.startsWith('/*')) return blank(piece);
    return /^["']/.test(piece) ? piece.replace(/[{}]/g, ' ') : piece;
  });
}

/** Each route of the text, in its order. One whose braces do not match ends where the next begins, or with the text. */
export function opensipsRoutes(script: string): readonly OpensipsRoute[] {
  const text = plain(script);
  const heads = [...text.matchAll(HEAD)];
  let line = 1;
  let counted = 0;
  return heads.map((head, index) => {
    const start = head.index + head[0].length;
    line += text.slice(counted, start).split('\n').length - 1;
    counted = start;
    const [name = ''] = (head[2] ?? '').split(',');
    const body = inBraces(text.slice(start, heads[index + 1]?.index));
    return { kind: head[1] ?? '', name: name.trim(), body: body.replace(/\s/g, ''), line };
  });
}

/** What stands before the brace that closes. */
function inBraces(text: string): string {
  let depth = 1;
  for (let end = 0; end < text.length; end++) {
    depth += text[end] === '{' ? 1 : text[end] === '}' ? -1 : 0;
    if (depth === 0) return text.slice(0, end);
  }
  return text;
}

/** Header fields, and parameters of Contact, that the script gives to a module, a reply or a request of tm, and where. */
export interface GivenFields {
  /** Names; `undefined`: it is a variable that says them, or holds some. */
  readonly names: readonly string[] | undefined;
  /** For a module that copies by expression. */
  readonly pattern?: RegExp;
  /** The parameter or the function. */
  readonly by: string;
  readonly line: number;
}

const GIVEN =
  /modparam\s*\(\s*"(?:b2b_logic|b2b_entities|topology_hiding)"\s*,\s*"(custom_headers(?:_regexp)?|th_passed_contact_(?:uri_)?params)"\s*,\s*"((?:[^"\\]|\\.)*)"|(?<![a-z_])(append_to_reply|t_add_hdrs)\s*\(\s*(?:"((?:[^"\\]|\\.)*)"\s*\))?/g;

/** What b2b and topology_hiding copy from one leg to the other, and the fields that the script adds where nobody looks. */
export function givenFields(script: string): readonly GivenFields[] {
  const text = plain(script);
  let line = 1;
  let counted = 0;
  return [...text.matchAll(GIVEN)].map(({ index, 1: parameter, 2: value = '', 3: called, 4: rows }) => {
    line += text.slice(counted, index).split('\n').length - 1;
    counted = index;
    if (parameter === 'custom_headers_regexp') return { ...copied(value), by: parameter, line };
    if (parameter !== undefined) return { names: value.split(';').map((each) => each.trim()), by: parameter, line };
    return { names: rows === undefined ? undefined : rowNames(rows), by: called ?? '', line };
  });
}

/** Where the script loads script_helper, and which route that runs for requests of a dialog; `undefined`: not in this text. */
export function helperOf(script: string): { readonly line: number | undefined; readonly route: string | undefined } {
  const text = plain(script);
  const route = /modparam\s*\(\s*"[^"]*\bscript_helper\b[^"]*"\s*,\s*"sequential_route"\s*,\s*"([^"]*)"/.exec(text);
  return { line: loadedAt(script, 'script_helper'), route: route?.[1] };
}

/** The line that loads this module; `undefined`: none. */
export function loadedAt(script: string, module: string): number | undefined {
  const text = plain(script);
  const at = text.search(new RegExp(`loadmodule\\s+"(?:[^"]*/)?${module}\\.so"`));
  return at < 0 ? undefined : text.slice(0, at).split('\n').length;
}

/** Whether the script takes MSRP over TLS. */
export function takesMsrps(script: string): boolean {
  return /^[ \t]*(?:socket|listen)[ \t]*=[ \t]*msrps:/m.test(plain(script));
}

/** Where the script listens, as `udp:192.0.2.1:5060`; undefined where one of them is no plain address. */
export function listeningAt(script: string): readonly string[] | undefined {
  const lines = [...plain(script).matchAll(/^[ \t]*(?:socket|listen)[ \t]*=[ \t]*"?([^\s"]+)/gm)];
  const sockets = lines.map(([, socket = '']) => {
    const [, proto = '', address = '', port = /^tls$/i.test(proto) ? '5061' : '5060'] =
      /^(\w+):([0-9.]+)(?::(\d+))?$/.exec(socket) ?? [];
    return address === '' ? undefined : `${proto.toLowerCase()}:${address}:${port}`;
  });
  return sockets.every((socket) => socket !== undefined) ? sockets : undefined;
}

/** The sockets of siptrust.cfg that face the own network. */
export function insideSockets(plugin: string): readonly string[] {
  const set = /\$var\(siptrust_inside_sockets\) = "([^"]*)"/.exec(plain(plugin))?.[1] ?? '';
  return set.split('|').filter((socket) => socket !== '');
}

/** A domain of TLS, as the script defines it; `line`: where it is told to verify nothing. */
export interface TlsDomain {
  readonly kind: 'server' | 'client';
  readonly name: string;
  readonly line: number | undefined;
}

export function tlsDomains(script: string): readonly TlsDomain[] {
  const text = plain(script);
  const value = (name: string) => new RegExp(`modparam\\s*\\(\\s*"tls_mgm"\\s*,\\s*"${name}"\\s*,\\s*"([^"]*)"`, 'g');
  const off = new Map(
    [...text.matchAll(value('verify_cert'))].map(({ index, 1: set = '' }) => [
      /^\s*\[(.*)\]\s*0\s*$/.exec(set)?.[1]?.trim(),
      text.slice(0, index).split('\n').length,
    ]),
  );
  return (['server', 'client'] as const).flatMap((kind) =>
    [...text.matchAll(value(`${kind}_domain`))].map(([, set = '']) => {
      const name = set.replace(/=.*/s, '').trim();
      return { kind, name, line: off.get(name) };
    }),
  );
}

/** Lines that say in how many threads OpenSIPS 4.0 reads certificates, all of them into the same bytes, and whether it is one. */
export function tcpThreads(script: string): readonly { readonly line: number; readonly one: boolean }[] {
  const text = plain(script);
  return [...text.matchAll(/^[ \t]*tcp_threads[ \t]*=[ \t]*(1\b)?/gm)].map(({ index, 1: one }) => ({
    line: text.slice(0, index).split('\n').length,
    one: one !== undefined,
  }));
}

/** Whether a message that comes over TLS may take more reads than the four after which OpenSIPS hangs up otherwise. */
export function readsOn(script: string): boolean {
  return /^[ \t]*modparam\([ \t]*"proto_tls"[ \t]*,[ \t]*"tls_max_msg_chunks"/m.test(plain(script));
}

/** Settings of siptrust.cfg that the script sets to something else behind the line that includes it. */
export function undoneSettings(script: string): readonly { readonly name: string; readonly line: number }[] {
  const text = plain(script);
  const from = text.search(/^[ \t]*include_file[ \t]+"[^"\n]*siptrust\.cfg"/m);
  if (from < 0) return [];
  const names =
    /^[ \t]*(?:(disable_stateless_fwd|disable_dns_failover)[ \t]*=(?![ \t]*(?:yes|true|on|enable|1)\b)|(tcp_no_new_conn_bflag)[ \t]*=(?![ \t]*SIPTRUST_PROVEN\b)|(tcp_accept_aliases)[ \t]*=(?![ \t]*(?:no|false|off|disable|0)\b)|modparam\([ \t]*"(?:tm"[ \t]*,[ \t]*"(onreply_avp_mode)|rest_client"[ \t]*,[ \t]*"((?:connection|curl)_timeout))"[ \t]*,(?![ \t]*1\b))/gm;
  return [...text.matchAll(names)]
    .filter(({ index }) => index > from)
    .map(({ index, 1: toggle, 2: flag, 3: aliases, 4: parameter, 5: timeout = '' }) => ({
      name: toggle ?? flag ?? aliases ?? parameter ?? timeout,
      line: text.slice(0, index).split('\n').length,
    }));
}

/** What a route adds to the message at hand, or to a reply to it, by its body without blanks. */
export function addedFields(body: string): readonly Pick<GivenFields, 'names' | 'by'>[] {
  const calls = body.matchAll(/(?<![a-z_])(append_hf|insert_hf|append_to_reply)\((?:"((?:[^"\\]|\\.)*)"[,)])?/g);
  return [...calls].map(([, by = '', rows]) => ({ names: rows === undefined ? undefined : rowNames(rows), by }));
}

/** Variables that read a header field. */
const READING: Readonly<Record<string, string>> = {
  ...{ ai: 'P-Asserted-Identity', re: 'Remote-Party-ID', di: 'Diversion', dip: 'Diversion', dir: 'Diversion' },
  ...{ pd: 'P-Preferred-Identity', pn: 'P-Preferred-Identity', pu: 'P-Preferred-Identity', pU: 'P-Preferred-Identity' },
};

/**
 * Header fields that a route reads, by its body without blanks: OpenSIPS gives them as they came, whatever has been removed. Without
 * a number of its own stir_shaken reads P-Asserted-Identity; emergency_call() asserts what the first of its three says, and
 * add_isup_part() makes the calling party number of it.
 */
export function readFields(body: string): readonly string[] {
  const text = body.replace(/(?<![a-z_])xlog\((?:"(?:[^"\\]|\\.)*"|[^"()])*\)/g, '');
  const variables = text.matchAll(/\$\(?(?:hdr\(([^()[\]]+)[()[\]]|(ai|re|dip?|dir|p[dnuU])(?![\w(]))/g);
  const present = text.matchAll(/(?<![a-z_])(?:is_present_hf|list_hdr_[a-z]+_option)\("([^"]*)"/g);
  const calls = text
    .replace(/"(?:[^"\\]|\\.)*"|\$\w*\((?:[^()"]|\([^()"]*\))*\)/g, '$$')
    .matchAll(/(?<![a-z_])stir_shaken_(auth|verify)\(([^()]*)\)/g);
  return [
    ...[...variables].map(([, field, variable = '']) => field ?? READING[variable] ?? ''),
    ...[...present].map(([, field = '']) => field),
    ...[...calls].flatMap(([, which, terms = '']) =>
      (terms.split(',')[which === 'auth' ? 5 : 3] ?? '') === '' ? ['P-Asserted-Identity'] : [],
    ),
    ...(/(?<![a-z_])add_isup_part\(/.test(text) ? ['P-Asserted-Identity'] : []),
    ...(/(?<![a-z_])emergency_call\(/.test(text)
      ? ['P-Asserted-Identity', 'P-Preferred-Identity', 'Remote-Party-ID']
      : []),
  ];
}

/** `/expression/flags`, or the expression alone; what cannot be read copies anything. */
function copied(value: string): Pick<GivenFields, 'names' | 'pattern'> {
  const source = /^\/(.*)\/[a-z]*$/s.exec(value)?.[1] ?? value;
  try {
    return { names: [], pattern: new RegExp(source, 'i') };
  } catch {
    return { names: undefined };
  }
}

/** The names of header rows as a script writes them; undefined where a variable stands for one of them. */
function rowNames(rows: string): readonly string[] | undefined {
  const names = rows
    .split(/(?:\\r)?\\n|\r?\n/)
    .filter((row) => row.trim() !== '')
    .map((row) => row.slice(0, Math.max(0, row.indexOf(':'))).trim());
  return names.every((name) => /^[!-#%-~]+$/.test(name)) ? names : undefined;
}
