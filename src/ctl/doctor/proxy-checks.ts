/** Checks of Kamailio: the plugin's files, and the lines that the script needs. */

import { parseAddress } from '../../net/address/index.js';
import { appended } from './appended-fields.js';
import type { Check } from './check.js';
import { type Finding, finding, unreadable } from './finding.js';
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
  ROUTE_HEAD,
  type ScriptRoute,
  scriptRoutes,
  TLS_MODULE,
} from './kamailio-script.js';
import { STRINGS } from './opensips-script.js';
import type { Site } from './site.js';

const UAC_MODULE = /^loadmodulex?[\s(]*["'](?:[^"']*\/)?uac(?:\.so)?["']/;
const RESTORING = modparam('uac', 'restore_mode');

export const proxyChecks: readonly Check[] = [
  {
    name: 'plugin',
    asks: 'the files of the plugin are there, as this version ships them',
    look: plugin,
  },
  {
    name: 'plugin-groups',
    asks: 'the file that SIPTRUST_GROUPS names is there, and begins with siptrust-groups.txt of this version',
    look: groups,
  },
  {
    name: 'script',
    asks: 'kamailio.cfg can be read',
    look: ({ script }) =>
      'value' in script
        ? []
        : [finding('risk', script.missing, 'name it by --kamailio-cfg FILE: nothing was looked at in it')],
  },
  {
    name: 'script-include',
    asks: 'siptrust.cfg is included, behind the tls module and before the routes',
    look: include,
  },
  { name: 'script-inside', asks: 'SIPTRUST_INSIDE_NETS names the networks of the own side', look: inside },
  { name: 'script-daemon', asks: 'the plugin asks where siptrustd listens', look: asked },
  { name: 'script-out', asks: 'each branch_route ends with route(SIPTRUST_OUT)', look: out },
  { name: 'script-ack', asks: 'route(SIPTRUST_OUT) is called for ACK, which no branch_route sees', look: ack },
  {
    name: 'script-place',
    asks: '$ru or $du says where a request goes, which is what a branch_route sees',
    look: places,
  },
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
  {
    name: 'kamailio-version',
    asks: 'Kamailio is 5.6 or newer, none of 5.7.0 to 5.7.4, 5.8.0 and 5.8.1, and before 6.0 has one TCP worker or `tls_threads_mode`',
    look: version,
  },
];

const COPY = (site: Site) => `cp plugin/kamailio/* ${site.options.plugin}/ && systemctl restart kamailio`;

function plugin(site: Site): readonly Finding[] {
  const { plugin: installed, shipped } = site;
  if (!('value' in installed))
    return [unreadable(installed.missing, `mkdir -p ${site.options.plugin} && ${COPY(site)}`)];
  const names = (of: (name: string, text: string) => boolean) =>
    [...shipped].flatMap(([name, text]) => (of(name, text) ? [name] : []));
  const missing = names((name) => !installed.value.has(name));
  const other = names((name, text) => installed.value.has(name) && installed.value.get(name) !== text);
  const old = [...installed.value.keys()].filter(
    (name) => name.startsWith('siptrust') && shipped.size > 0 && !shipped.has(name),
  );
  const where = `${site.options.plugin}:`;
  return [
    ...(missing.length > 0 ? [finding('leak', `${where} ${missing.join(', ')} missing`, COPY(site))] : []),
    ...(other.length > 0
      ? [
          finding(
            'leak',
            `${where} ${other.join(', ')} differ from this version (siptrust-headers.cfg: what is taken out)`,
            COPY(site),
          ),
        ]
      : []),
    ...(old.length > 0
      ? [
          finding(
            'note',
            `${where} ${old.join(', ')} are of another version`,
            `remove them from ${site.options.plugin}`,
          ),
        ]
      : []),
  ];
}

/** Module regex reads it when Kamailio starts; `kamailio -c` does not look. */
function groups({ options, script, plugin: installed, shipped, text }: Site): readonly Finding[] {
  if (!('value' in script) || !('value' in installed) || findLine(script.value, INCLUDE) === undefined) return [];
  const file = 'siptrust-groups.txt';
  const settings = /^#!trydef SIPTRUST_GROUPS (.*)$/m.exec(installed.value.get('siptrust.cfg') ?? '')?.[1];
  const path = (defined(script.value, 'SIPTRUST_GROUPS')?.value ?? settings ?? '').replace(/^"(.*)"$/, '$1');
  const read = text(path);
  if ('missing' in read) {
    const line = `#!define SIPTRUST_GROUPS "${options.plugin}/${file}" before the include`;
    return [finding('outage', `SIPTRUST_GROUPS: ${read.missing}: Kamailio does not start`, line)];
  }
  if (read.value.startsWith(shipped.get(file) ?? '')) return [];
  return [
    finding(
      'outage',
      `SIPTRUST_GROUPS: ${path} does not begin with ${file} of this version: whoever is not inside is answered 503`,
      `the ${file} that lies beside siptrust.cfg, and groups of your own behind it`,
    ),
  ];
}

function include(site: Site): readonly Finding[] {
  if (!('value' in site.script)) return [];
  const lines = site.script.value;
  const at = findLine(lines, INCLUDE);
  const line = `include_file "${site.options.plugin}/siptrust.cfg"`;
  if (at === undefined) {
    return [
      finding(
        'leak',
        `${site.options.kamailioCfg}: siptrust.cfg is not included: nothing is taken out of any message`,
        `after the loadmodule lines, before the routes: ${line}`,
      ),
    ];
  }
  const position = lines.indexOf(at);
  const found: Finding[] = [];
  const route = lines.findIndex(({ text }) => ROUTE_HEAD.test(text));
  if (route >= 0 && route < position) {
    found.push(
      finding(
        'leak',
        `${place(at)}: siptrust.cfg is included behind the first route (${place(lines[route] ?? at)})`,
        'move the include before the routes',
      ),
    );
  }
  const tls = lines.findIndex(({ text }) => TLS_MODULE.test(text));
  if (tls < 0) {
    found.push(
      finding(
        'outage',
        `${site.options.kamailioCfg}: the module tls is not loaded: no partner can be trusted by TLS`,
        'loadmodule "tls.so" and enable_tls=yes, before the include',
      ),
    );
  } else if (tls > position) {
    found.push(
      finding(
        'outage',
        `${place(at)}: siptrust.cfg is included before the module tls (${place(lines[tls] ?? at)})`,
        'move the include behind the loadmodule lines',
      ),
    );
  }
  return found;
}

function inside(site: Site): readonly Finding[] {
  if (!('value' in site.script)) return [];
  const lines = site.script.value;
  const at = findLine(lines, INCLUDE);
  if (at === undefined) return [];
  const nets = defined(lines, 'SIPTRUST_INSIDE_NETS');
  const line = '#!define SIPTRUST_INSIDE_NETS "10.0.0.0/8"';
  if (nets === undefined) {
    const old = defined(lines, 'SIPTRUST_INSIDE');
    const more = old === undefined ? '' : ` (SIPTRUST_INSIDE at ${place(old.at)} is of an older version)`;
    return [
      finding(
        'outage',
        `${place(at)}: SIPTRUST_INSIDE_NETS is not defined before the include${more}: Kamailio does not start`,
        `${line}, with the networks of your own side`,
      ),
    ];
  }
  const found: Finding[] = [];
  if (lines.indexOf(nets.at) > lines.indexOf(at)) {
    found.push(
      finding(
        'outage',
        `${place(nets.at)}: SIPTRUST_INSIDE_NETS is defined behind the include`,
        'move the define before it',
      ),
    );
  }
  if (!/^"[\s,]*[^"\s,][^"]*"$/.test(nets.value)) {
    found.push(
      finding(
        'outage',
        `${place(nets.at)}: expected networks in quotes and nothing behind them, found ${nets.value || 'nothing'} (a define takes a comment into its value)`,
        line,
      ),
    );
  }
  const entries = (/^"([^"]*)"/.exec(nets.value)?.[1] ?? '').split(',').map((entry) => entry.trim());
  const wrong = entries.filter((entry) => entry !== '' && !isNet(entry));
  if (wrong.length > 0) {
    found.push(
      finding(
        'outage',
        `${place(nets.at)}: expected ADDRESS or ADDRESS/LENGTH, found ${wrong.join(', ')}: left out without a word, your users there count as strangers`,
        line,
      ),
    );
  }
  if (entries.some((entry) => /\/0+$/.test(entry) && isNet(entry))) {
    found.push(
      finding(
        'leak',
        `${place(nets.at)}: SIPTRUST_INSIDE_NETS holds the whole Internet: everybody is one of your own`,
        line,
      ),
    );
  }
  return found;
}

/** What the plugin asks where the script says nothing. */
const ASKED = 'http://127.0.0.1:7061/rpc';

/** Of several siptrustds on this machine one has this policy; what another host has is not seen here. */
function asked({ script, policy, options, daemon }: Site): readonly Finding[] {
  if (!('value' in script) || !policy.ok || findLine(script.value, INCLUDE) === undefined) return [];
  const said = ['1', '2', '3'].flatMap((n) => defined(script.value, `SIPTRUST_HTTP_${n}`)?.value ?? []);
  const first = defined(script.value, 'SIPTRUST_HTTP_1') === undefined ? [ASKED] : [];
  const urls = [...first, ...said].map((text) => /https?:\/\/[^;"/]+/.exec(text)?.[0] ?? text);
  const { http } = policy.settings.listen;
  const own = http === undefined ? undefined : Number(http.port);
  const near = urls.filter((url) => /^http:\/\/(?:127\.|localhost|\[::1\])/.test(url));
  if (near.length < urls.length || near.some((url) => Number(/:(\d+)$/.exec(url)?.[1] ?? 80) === own)) return [];
  const listens = own === undefined ? 'off' : `port ${own}`;
  return [
    finding(
      // (Something else may listen there, and lead to a siptrustd of another machine.)
      'value' in daemon ? 'outage' : 'risk',
      `the plugin asks ${near.join(', ')}, and daemon.listen.http of ${options.config} is ${listens}: nobody is trusted, unless another siptrustd answers there`,
      `daemon.listen.http of the policy, or #!define SIPTRUST_HTTP_1 "siptrust1=>http://127.0.0.1:${own ?? 7061}/rpc" before the include`,
    ),
  ];
}

/** As Kamailio compares it with addresses: bits set after the length do not count. */
function isNet(entry: string): boolean {
  const [, text = '', length = '0'] = /^([^/[]+)(?:\/([0-9]+))?$/.exec(entry) ?? [];
  const address = parseAddress(text);
  return address !== undefined && Number(length) <= 8 * address.bytes.length;
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
    const call =
      /\bt_(?:relay_to(?:_\w+)?(?=\s*\()|(?:relay|forward_nonack|replicate)(?:_\w+)?(?=\s*\(\s*[^\s)]))/.exec(
        at.text.replace(STRINGS, '""'),
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

function version({ kamailio, script }: Site): readonly Finding[] {
  if (kamailio === undefined) return [];
  const [major = 0, minor = 0, patch = 0] = kamailio.split('.').map(Number);
  if (major < 5 || (major === 5 && minor < 6)) {
    return [finding('leak', `Kamailio ${kamailio}: the plugin needs 5.6 or newer`, 'install Kamailio 5.6 or newer')];
  }
  if (major > 5) return [];
  if (minor === 8 && patch < 2) {
    const text = `Kamailio ${kamailio}: it crashes at the start where module regex reads a file of groups`;
    return [finding('outage', text, 'install Kamailio 5.8.2 or newer')];
  }
  if (minor === 7 && patch < 5) {
    const text = `Kamailio ${kamailio}: with OpenSSL 3 TLS handshakes fail now and then, even with one TCP worker`;
    return [finding('risk', text, 'install Kamailio 5.8.2 or newer')];
  }
  if (!('value' in script)) return [];
  // Since 5.7.5 a line of the script keeps what OpenSSL 3 remembers of errors apart; 6.0 does so by itself.
  const apart = minor > 6;
  if (apart && findLine(script.value, /^tls_threads_mode\s*=\s*[1-9]/) !== undefined) return [];
  const at = findLine(script.value, /^tcp_children\s*=/);
  if (at !== undefined && /=\s*1\b/.test(at.text)) return [];
  const text = `Kamailio ${kamailio} with ${at === undefined ? 'as many TCP workers as children' : at.text}: it ${minor === 6 ? 'crashes' : 'may crash'} under parallel TLS handshakes with OpenSSL 3`;
  const next = `${apart ? 'tls_threads_mode=2' : 'tcp_children=1'}, or a newer Kamailio`;
  return [finding(minor === 6 ? 'outage' : 'risk', text, next)];
}
