/** Checks of Kamailio: what the routes of the script call, and what its own lines add. */

import { contains, isLoopback, parseAddress } from '../../net/address/index.js';
import { appended } from './appended-fields.js';
import { type Check, type Finding, finding } from './finding.js';
import {
  branchRoutes,
  CALLS_OUT,
  callsOf,
  callsOut,
  defined,
  findLine,
  INCLUDE,
  modparam,
  place,
  type ScriptRoute,
  scriptRoutes,
} from './kamailio-script.js';
import { STRINGS } from './opensips-script.js';
import { insideNets, netOf } from './proxy-checks.js';
import type { Site } from './site.js';

const UAC_MODULE = /^loadmodulex?[\s(]*["'](?:[^"']*\/)?uac(?:\.so)?["']/;
const RESTORING = modparam('uac', 'restore_mode');

/** `cfgengine "lua"`, or a define. */
const ENGINE = /^cfgengine\s*=?\s*(?:"(?<quoted>[^"]*)"|(?<word>\w+))/;
const LUA_FILE = modparam('app_lua', 'load');
const LUA_CALLBACK = /^kemi\.(?:onsend|reply)_route_callback\s*=\s*"(?!none"|")/;

export const scriptChecks: readonly Check[] = [
  {
    name: 'script-engine',
    asks: 'routes in Lua have siptrust.lua, and those in another language run out of native ones',
    look: engine,
  },
  { name: 'script-behind', asks: 'nothing behind the include undoes what it sets for all of Kamailio', look: behind },
  {
    name: 'script-out',
    asks: 'each branch_route ends with route(SIPTRUST_OUT), and it stands before forward()',
    look: (site) => [...out(site), ...stateless(site)],
  },
  { name: 'script-ack', asks: 'route(SIPTRUST_OUT) is called for ACK, which no branch_route sees', look: ack },
  {
    name: 'script-place',
    asks: '$ru or $du says where a request goes, which is what a branch_route sees',
    look: places,
  },
  {
    name: 'script-raw',
    asks: 'nothing of our own side goes to others as bytes that pass no gate',
    look: raw,
  },
  { name: 'script-source', asks: 'a message comes from where it says that it comes from', look: sources },
  {
    name: 'script-append',
    asks: 'what the script itself adds to messages bears nothing private, or is seen by siptrust',
    look: appended,
  },
  {
    name: 'script-restore',
    asks: 'module uac writes into From and To nothing that whoever sends a request says in its Route, and tells nobody whom the script hides',
    look: restore,
  },
  {
    name: 'script-registrar',
    asks: 'where the script authenticates users who register, SIPTRUST_REGISTRAR says whether they come from other networks, too',
    look: registrar,
  },
];

/** Kamailio runs the routes of one language: native ones, where there are any. */
function engine({ script, options, text }: Site): readonly Finding[] {
  if (!('value' in script) || findLine(script.value, INCLUDE) === undefined) return [];
  const at = findLine(script.value, ENGINE);
  const { quoted, word = '' } = ENGINE.exec(at?.text ?? '')?.groups ?? {};
  const name = quoted ?? defined(script.value, word)?.value.replaceAll('"', '') ?? word;
  if (at === undefined || /^(?:native|default)$/i.test(name)) return [];
  const where = `${place(at)}: cfgengine "${name}"`;
  if (!/^lua$/i.test(name)) {
    return [
      finding(
        'outage',
        `${where}: no request gets further than the include, and the poll does not run`,
        'no cfgengine, and a native route for each function: docs/moving-in.md, "Routes in another language"',
      ),
    ];
  }
  if (defined(script.value, 'SIPTRUST_LUA') === undefined) {
    const found = `${where} without SIPTRUST_LUA: no request gets further than the include, and the poll does not run`;
    return [finding('outage', found, '#!define SIPTRUST_LUA before the include, and what siptrust.lua says')];
  }
  const native = scriptRoutes(script.value).find(({ kind }) => kind === 'request_route');
  const callback = findLine(script.value, LUA_CALLBACK);
  const file = script.value.flatMap((line) => LUA_FILE.exec(line.text)?.groups?.quoted ?? []).at(-1) ?? '';
  const routes = text(file);
  return [
    ...(callback === undefined
      ? []
      : [
          finding(
            'leak',
            `${place(callback)}: Kamailio asks Lua in place of the include: what leaves passes no gate, or answers are not cleaned`,
            'take it out: SIPTRUST_LUA_REPLY and SIPTRUST_LUA_ONSEND run the functions of Lua behind the gates',
          ),
        ]),
    ...(native === undefined
      ? []
      : [
          finding(
            'outage',
            `${place(native.at)}: a native request_route beside ${where}: Kamailio runs that one, and asks Lua for none`,
            'take one of them out',
          ),
        ]),
    ...('missing' in routes || routes.value.includes('siptrust.lua')
      ? []
      : [
          finding(
            'outage',
            `${file} does not name siptrust.lua: the poll does not run, and what has to be cleaned is not sent`,
            `its first line: dofile("${options.plugin}/siptrust.lua")`,
          ),
        ]),
  ];
}

const OFF = '(?:0|no|off|false)\\b';
/** docs/troubleshooting.md, "What the include sets for the whole of Kamailio". */
const UNDONE = [
  new RegExp(`^onsend_route_reply\\s*=\\s*${OFF}`, 'i'),
  new RegExp(`^sip_warning\\s*=\\s*(?!${OFF})`, 'i'),
  /^hdr_name_extra_chars\s*=\s*"(?!!%\*'`")/,
  /^pv_buffer_size\s*=\s*(?:\d{1,4}|[1-5]\d{4}|6[0-5]\d{3})\b/,
  new RegExp(`${modparam('tm', 'reparse_invite').source}(?<=\\b0)`, 'i'),
  modparam('regex', 'file'),
];

function behind({ script }: Site): readonly Finding[] {
  if (!('value' in script)) return [];
  const included = script.value.findIndex(({ text }) => INCLUDE.test(text));
  if (included < 0) return [];
  return script.value.slice(included).flatMap((at) => {
    if (!UNDONE.some((what) => what.test(at.text))) return [];
    const found = `${place(at)}: undoes what the include sets: private information leaves, or nobody is trusted`;
    return [finding('leak', found, 'take it out, or put it before the include')];
  });
}

function out(site: Site): readonly Finding[] {
  if (!('value' in site.script) || findLine(site.script.value, INCLUDE) === undefined) return [];
  const routes = scriptRoutes(site.script.value);
  const branches = routes.filter(({ kind }) => kind === 'branch_route');
  const called = callsOf(routes);
  const leads = ({ body }: ScriptRoute) => [body, ...called(body).map((each) => each.body)].some(callsOut);
  return branches.flatMap((branch) => {
    const where = `${place(branch.at)}: branch_route[${branch.name}]`;
    if (!leads(branch)) {
      return [
        finding(
          'outage',
          `${where} has no route(SIPTRUST_OUT): what has to be cleaned is not sent`,
          'add route(SIPTRUST_OUT); as its last line, before any return',
        ),
      ];
    }
    const others = callsOut(branch.body) ? [] : called(branch.body).filter(leads);
    const names = ['SIPTRUST_OUT', ...others.map(({ name }) => name)].join('|');
    const call = new RegExp(`\\broute\\s*\\(\\s*"?(?:${names})"?\\s*\\)`);
    if (![branch, ...others].some(({ body }) => /\b(?:return|exit)\b/.test(body.split(call, 1)[0] ?? ''))) return [];
    return [
      finding('risk', `${where} may return before route(SIPTRUST_OUT)`, 'call route(SIPTRUST_OUT) before each return'),
    ];
  });
}

const FORWARDS = /\bforward(?:_(?:udp|tcp|tls|sctp))?(?=\s*\()/;

/** What goes on without a transaction has no branch_route: the route that forwards calls it before, or one that has called that route. */
function stateless({ script }: Site): readonly Finding[] {
  if (!('value' in script) || findLine(script.value, INCLUDE) === undefined) return [];
  const routes = scriptRoutes(script.value);
  const called = callsOf(routes);
  // (What ACK alone gets does not count.)
  const looks = (text: string) => text.split('\n').some((line) => CALLS_OUT.test(line) && !/\bACK\b/.test(line));
  const leads = (text: string) => looks(text) || called(text).some(({ body }) => looks(body));
  return routes.flatMap((route) =>
    route.lines.flatMap((at, index) => {
      const call = FORWARDS.exec(at.text.replace(STRINGS, '""'))?.[0];
      if (call === undefined) return [];
      const before = route.lines.slice(0, index + 1).map(({ text }) => text);
      const callers = routes.filter(({ body }) => called(body).includes(route));
      if (leads(before.join('\n')) || callers.some(({ body }) => leads(body))) return [];
      const found = `${place(at)}: ${call}() without route(SIPTRUST_OUT) before it: what has to be cleaned is not sent, if it goes to others`;
      return [finding('risk', found, 'route(SIPTRUST_OUT); before it, or t_relay() in its place')];
    }),
  );
}

/** (In scripts in another language the callbacks do it.) */
function ack({ script, options }: Site): readonly Finding[] {
  if (!('value' in script) || findLine(script.value, INCLUDE) === undefined) return [];
  const calls = (texts: readonly string[]) => texts.filter((text) => CALLS_OUT.test(text)).length;
  const lines = script.value.map(({ text }) => text);
  const branches = branchRoutes(script.value).flatMap(({ body }) => body.split('\n'));
  const relays = lines.some((text) => /\bt_relay\s*\(/.test(text));
  if (!relays || calls(lines) > calls(branches)) return [];
  return [
    finding(
      'note',
      `${options.kamailioCfg}: the ACK of a call to a partner takes no proven connection: it goes where the Contact leads, over UDP where that names no transport`,
      'if (is_method("ACK")) route(SIPTRUST_OUT); before t_relay()',
    ),
  ];
}

/** tm sends to the place that its function names only where no branch_route has set another one ($du). */
function places({ script }: Site): readonly Finding[] {
  if (!('value' in script) || findLine(script.value, INCLUDE) === undefined) return [];
  return script.value.flatMap((at) => {
    const text = at.text.replace(STRINGS, '""');
    const forwards = new RegExp(`${FORWARDS.source}(?=\\s*\\(\\s*[^\\s)])`).exec(text)?.[0];
    if (forwards !== undefined) {
      const found = `${place(at)}: route(SIPTRUST_OUT) does not see where ${forwards}() sends to: what has to be cleaned there is not sent`;
      return [finding('risk', found, '$du = "sip:HOST:PORT;transport=udp"; route(SIPTRUST_OUT); forward();')];
    }
    const call =
      /\bt_(?:relay_to(?:_\w+)?(?=\s*\()|(?:relay|forward_nonack|replicate)(?:_\w+)?(?=\s*\(\s*[^\s)]))/.exec(
        text,
      )?.[0];
    if (call === undefined) return [];
    return [
      finding(
        'risk',
        `${place(at)}: no branch_route sees where ${call}() sends to: what is for another network goes where its Request-URI leads, by the transport of ${call}()`,
        '$du = "sip:HOST:PORT;transport=udp"; t_relay();',
      ),
    ];
  });
}

/** A source address that comes in a message, or before it. */
const SAID = [
  new RegExp(`^(tcp_accept_haproxy)\\s*=\\s*(?!${OFF})`, 'i'),
  new RegExp(`^(udp_accept_proxy)\\s*=\\s*(?!${OFF})`, 'i'),
  new RegExp(`${modparam('sipcapture', 'hep_capture_on').source}(?<!\\b0)`, 'i'),
];

/** docs/troubleshooting.md, "What the include sets for the whole of Kamailio". */
function sources({ script }: Site): readonly Finding[] {
  if (!('value' in script) || findLine(script.value, INCLUDE) === undefined) return [];
  return script.value.flatMap((at) => {
    const setting = SAID.map((expression) => expression.exec(at.text)).find((match) => match !== null);
    if (setting !== undefined) {
      const name = setting.groups?.name ?? setting[1];
      const found = `${place(at)}: ${name}: who reaches such a socket comes from wherever they say, from inside, too`;
      return [finding('risk', found, 'take it out, or let nobody but your own side reach the socket')];
    }
    if (!/\bset_source_address\s*\(/.test(at.text.replace(STRINGS, '""'))) return [];
    const found = `${place(at)}: set_source_address(): who asked is whoever it names, and gets answers as such`;
    return [finding('risk', found, 'take it out')];
  });
}

const WRITES = /\b(?:send(?:_udp|_tcp|_data|x)?|sip_capture_forward)(?=\s*\()/;
const MIRROR = modparam('siptrace', 'duplicate_uri');

/** docs/troubleshooting.md, "What the gate out does not see". Where a name leads is not known here. */
function raw({ script }: Site): readonly Finding[] {
  if (!('value' in script) || findLine(script.value, INCLUDE) === undefined) return [];
  const nets = insideNets(script.value).flatMap((net) => netOf(net) ?? []);
  return script.value.flatMap((at) => {
    const call = WRITES.exec(at.text.replace(STRINGS, '""'))?.[0];
    const uri = MIRROR.exec(at.text)?.groups?.quoted ?? '';
    const host = /^sips?:(?:[^@]*@)?(?:\[([^\]]*)\]|([^:;?]*))/i.exec(uri)?.slice(1).join('') ?? '';
    const address = parseAddress(host);
    return [
      ...(call === undefined
        ? []
        : [
            finding(
              'note',
              `${place(at)}: what ${call}() writes passes no gate`,
              'write nothing of your own side to others',
            ),
          ]),
      ...(address === undefined || isLoopback(host) || nets.some((net) => contains(net, address))
        ? []
        : [
            finding(
              'risk',
              `${place(at)}: messages go to ${host} as they came, with all that they bear`,
              'a collector of your own side; if that is one, name its network in SIPTRUST_INSIDE_NETS',
            ),
          ]),
    ];
  });
}

/**
 * What stands behind vsf= and vst= in a Route takes the place of From and To, behind the gate in; and in Record-Route it is
 * what the script has taken out of them, XOR what it has put there.
 */
function restore({ script }: Site): readonly Finding[] {
  if (!('value' in script) || findLine(script.value, INCLUDE) === undefined) return [];
  const at = findLine(script.value, UAC_MODULE);
  const mode = script.value.flatMap(({ text }) => RESTORING.exec(text)?.groups?.quoted ?? []).at(-1);
  if (at === undefined || /^none$/i.test(mode ?? '')) return [];
  const replaced = findLine(script.value, /\buac_replace_(?:from|to)\s*\(/);
  return [
    ...(/^manual$/i.test(mode ?? '')
      ? []
      : [
          finding(
            'leak',
            `${place(at)}: module uac restores From and To out of the Route of whoever sends a request: strangers write private parameters into them (;cpc=, ;verstat=)`,
            'modparam("uac", "restore_mode", "none"); where the script calls uac_replace_from() or uac_replace_to() "manual", and uac_restore_from(), uac_restore_to() for requests of your own side alone',
          ),
        ]),
    ...(replaced === undefined
      ? []
      : [
          finding(
            'risk',
            `${place(replaced)}: what is taken out of From or To here, whoever gets the call reads in Record-Route (vsf=, vst=)`,
            'where it hides somebody, modparam("uac", "restore_mode", "none"): phones know a call by its tags',
          ),
        ]),
  ];
}

/** Nobody outside registers unless the script says so; the answer stands in no log of Kamailio. */
function registrar({ script }: Site): readonly Finding[] {
  if (!('value' in script) || findLine(script.value, INCLUDE) === undefined) return [];
  const at = findLine(script.value, /\bsave\s*\(/);
  const asks = findLine(script.value, /\b(?:pv_)?(?:www_)?auth(?:_check|orize|enticate)\s*\(/);
  if (at === undefined || asks === undefined || defined(script.value, 'SIPTRUST_REGISTRAR') !== undefined) return [];
  const found = `${place(at)}: users who register from other networks are answered 403 (TS 24.229 §5.3.1.2)`;
  return [finding('note', found, 'if there are any, #!define SIPTRUST_REGISTRAR before the include')];
}
