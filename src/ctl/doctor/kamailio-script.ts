/** What a kamailio.cfg says where siptrust is concerned: a reading of its lines, not of its language. */

export interface ScriptLine {
  readonly file: string;
  readonly line: number;
  /** Without comments. */
  readonly text: string;
}

export interface ScriptRoute {
  /** `route`, `branch_route`, ... */
  readonly kind: string;
  /** `""` for one without a name. */
  readonly name: string;
  readonly at: ScriptLine;
  readonly lines: readonly ScriptLine[];
  /** The text of its lines. */
  readonly body: string;
}

/** Lines of a script, comments left out; lines that begin with `#!` (`!!` is the same, and made that) are none. */
export function scriptLines(file: string, text: string): readonly ScriptLine[] {
  const lines: ScriptLine[] = [];
  let block = false;
  for (const [index, each] of text.split('\n').entries()) {
    const raw = each.replace(/^(\s*)!!/, '$1#!');
    let kept = '';
    let quote = '';
    for (let at = 0; at < raw.length; at++) {
      const char = raw[at] ?? '';
      const two = raw.slice(at, at + 2);
      if (block) {
        if (two !== '*/') continue;
        block = false;
        at++;
      } else if (quote !== '') {
        kept += char;
        if (char === '\\') kept += raw[++at] ?? '';
        else if (char === quote) quote = '';
      } else if (two === '/*') {
        block = true;
        at++;
      } else if (two === '//' || (char === '#' && raw[at + 1] !== '!') || (char === '#' && kept.trim() !== '')) {
        break;
      } else {
        if (char === '"' || char === "'") quote = char;
        kept += char;
      }
    }
    // A define takes the rest of its line, what looks like a comment too.
    const define = /^\s*#!(?:(?:try|re)?def(?:ine)?|subst(?:defs?)?)\b/.test(raw);
    lines.push({ file, line: index + 1, text: define ? raw.trim() : kept.trim() });
  }
  return lines;
}

/**
 * The lines that Kamailio reads: those between `#!ifdef` (`#!ifndef`, `#!else`) and `#!endif` only where the define
 * says so. What `kamailio -A` and trydefenv define, and what ifexp asks, is not known here: of the last both ways are read.
 * @param version of Kamailio, as in 5.6.3
 */
export function activeLines(lines: readonly ScriptLine[], version = ''): readonly ScriptLine[] {
  const numbers = version.split('.');
  const names = new Set(numbers.map((_, at) => ['KAMAILIO', ...numbers.slice(0, at + 1)].join('_')));
  const open: { readonly outer: boolean; readonly unknown: boolean; holds: boolean }[] = [];
  const holds = () => {
    const last = open.at(-1);
    return last === undefined || (last.outer && last.holds);
  };
  return lines.filter(({ text }) => {
    const [, word = '', name = ''] = /^#!(\w+)(?:\s+(\w+))?/.exec(text) ?? [];
    if (/^if(?:n?def|exp)$/.test(word)) {
      const unknown = word === 'ifexp';
      open.push({ outer: holds(), unknown, holds: unknown || names.has(name) === (word === 'ifdef') });
      return false;
    }
    const last = open.at(-1);
    if (word === 'else' && last !== undefined) last.holds = last.unknown || !last.holds;
    if (word === 'endif') open.pop();
    if (word === 'else' || word === 'endif' || !holds()) return false;
    const [, substituted, module] = NAMING.exec(text) ?? [];
    if (substituted !== undefined) names.add(substituted);
    else if (module !== undefined) names.add(`MOD_${module}`);
    else if (/^(?:(?:try|re)?def(?:ine)?|def(?:exp|env)s?)$/.test(word)) names.add(name);
    return true;
  });
}

/** What names something beside the words of definitions: a substitution, and a module that is loaded. */
const NAMING = /^#!substdefs?\s+"\W(\w+)|^loadmodulex?[\s(]*["'](?:[^"']*\/)?(\w+)/;

/** The first line that an expression finds. */
export function findLine(lines: readonly ScriptLine[], expression: RegExp): ScriptLine | undefined {
  return lines.find(({ text }) => expression.test(text));
}

/** The names that sockets advertise in place of their address, by lines of their own or of defines that they consist of. */
export function advertisedNames(lines: readonly ScriptLine[]): readonly { at: ScriptLine; name: string }[] {
  return lines.flatMap((at) => {
    const word = ADVERTISES.exec(at.text)?.[1] ?? '';
    const name = ADVERTISED.exec(defined(lines, word)?.value ?? word)?.[1];
    return name === undefined || /^[\d.]+$/.test(name) ? [] : [{ at, name }];
  });
}

const ADVERTISES = /^(?:(?:listen|socket|bind|#!\w+\s).*?)?\badvertise[\s=]+(?:\w+:)?("?[\w.-]+)/;
const ADVERTISED = /^"?(?:\w+:)?([\w.-]+)/;

/** The value of a define, as Kamailio takes it: all that follows the name. */
export function defined(
  lines: readonly ScriptLine[],
  name: string,
): { readonly at: ScriptLine; readonly value: string } | undefined {
  const expression = new RegExp(`^#!(define|def|trydefine|trydef|redefine|redef)\\s+${name}(?:\\s+(.*))?$`);
  let known: { readonly at: ScriptLine; readonly value: string } | undefined;
  for (const at of lines) {
    const [, word, value = ''] = expression.exec(at.text) ?? [];
    if (word?.startsWith('re') || (word !== undefined && known === undefined)) known = { at, value: value.trim() };
  }
  return known;
}

export const TLS_MODULE = /^loadmodulex?[\s(]*["'](?:[^"']*\/)?tls(?:\.so)?["']/;

/** A call that sets one of the parameters of a module: its name, and its value in quotes or as a word. */
export function modparam(module: string, names: string): RegExp {
  const of = `["'](?:[^"']*\\|)?${module}(?:\\|[^"']*)?["']`;
  const value = `(?:["'](?<quoted>[^"']*)["']|(?<word>\\w+))`;
  return new RegExp(`\\bmodparamx?\\s*\\(\\s*${of}\\s*,\\s*["'](?<name>${names})["']\\s*,\\s*${value}`, 'i');
}

const TLS_CONFIG = new RegExp(modparam('tls', 'config').source, 'gi');
const TLS_PARAMETER = modparam(
  'tls',
  'tls_method|server_name|verify_certificate|verify_depth|require_certificate|verify_client|private_key|ca_list|ca_path|certificate|crl|cipher_list',
);

export interface TlsSetup {
  /** Whether the script names a tls.cfg; then module tls takes nothing of its other parameters. */
  readonly named: boolean;
  /** The file; undefined where none is named, or where what names it cannot be told from here ($def, a substdef, a sum). */
  readonly file: string | undefined;
  /** The other parameters that the script sets. */
  readonly parameters: readonly {
    readonly at: ScriptLine;
    readonly name: string;
    readonly value: string | undefined;
  }[];
}

/** How a script sets up module tls. */
export function tlsSetup(lines: readonly ScriptLine[]): TlsSetup {
  const text = lines.map((line) => line.text).join('\n');
  const call = [...text.matchAll(TLS_CONFIG)].at(-1);
  const { quoted, word = '' } = call?.groups ?? {};
  const file = quoted ?? (word === '' ? undefined : defined(lines, word)?.value.replace(/^(["'])(.*)\1$/, '$2'));
  const whole = call !== undefined && /^\s*\)/.test(text.slice(call.index + call[0].length));
  return {
    named: call !== undefined,
    file: whole && file !== undefined && /^[^$]*[./][^$]*$/.test(file) ? file : undefined,
    parameters: lines.flatMap((at) => {
      const { name, quoted, word } = TLS_PARAMETER.exec(at.text)?.groups ?? {};
      return name === undefined ? [] : [{ at, name, value: quoted ?? word }];
    }),
  };
}

/** `route(X);` is a call. */
export const ROUTE_HEAD =
  /^((?:(?:request|reply|onreply|branch|failure|onsend|event)_)?route)\s*(?:\[([^\]]*)\])?\s*(?:\{|$)/;
export const CALLS_OUT = /\broute\s*\(\s*"?SIPTRUST_OUT"?\s*\)/;
const CALLED = /\broute\s*\(\s*"?(\w+)"?\s*\)/g;
/** One that its line does not close goes to the end of the line. */
const STRING = /"(?:\\.|[^"\\])*"?|'(?:\\.|[^'\\])*'?/g;

/** The include of the plugin. */
export const INCLUDE = /^(?:include_file|import_file|#?!(?:include_file|import_file))\s+["'][^"']*siptrust\.cfg["']/;

/** `file:line`. */
export function place({ file, line }: ScriptLine): string {
  return `${file}:${line}`;
}

/** Whether it calls route(SIPTRUST_OUT). */
export function callsOut(text: string): boolean {
  return CALLS_OUT.test(text);
}

export function branchRoutes(lines: readonly ScriptLine[]): readonly ScriptRoute[] {
  return scriptRoutes(lines).filter(({ kind }) => kind === 'branch_route');
}

/** Of a body: all routes that it calls, and those that they call. */
export function callsOf(routes: readonly ScriptRoute[]): (body: string) => readonly ScriptRoute[] {
  const named = new Map<string, ScriptRoute[]>();
  for (const route of routes) {
    if (route.kind === 'route') named.set(route.name, [...(named.get(route.name) ?? []), route]);
  }
  return (body) => {
    const found = new Set<ScriptRoute>();
    const bodies = [body];
    for (const text of bodies) {
      for (const [, called = ''] of text.matchAll(CALLED)) {
        for (const route of named.get(called) ?? []) {
          if (!found.has(route)) bodies.push(route.body);
          found.add(route);
        }
      }
    }
    return [...found];
  };
}

/** The routes, each with what stands in its braces; one whose braces do not match ends where the next begins. */
export function scriptRoutes(lines: readonly ScriptLine[]): readonly ScriptRoute[] {
  const routes: (Omit<ScriptRoute, 'lines' | 'body'> & { readonly lines: ScriptLine[] })[] = [];
  /** Braces that are open; undefined before the first one, which may stand on a later line than the name. */
  let depth: number | undefined;
  for (const at of lines) {
    const [head, kind = '', name] = ROUTE_HEAD.exec(at.text) ?? [];
    if (head !== undefined) {
      // (`route {` is an old name of it.)
      routes.push({
        kind: kind === 'route' && name === undefined ? 'request_route' : kind,
        name: (name ?? '').replaceAll('"', '').trim(),
        at,
        lines: [],
      });
      depth = undefined;
    }
    if (depth === 0) continue;
    routes.at(-1)?.lines.push(at);
    for (const brace of at.text.replace(STRING, '').match(/[{}]/g) ?? []) {
      if (brace === '{') depth = (depth ?? 0) + 1;
      else depth = Math.max(0, (depth ?? 0) - 1);
    }
  }
  return routes.map((route) => ({ ...route, body: route.lines.map(({ text }) => text).join('\n') }));
}
