/** Checks of Kamailio: its version, the plugin's files, and how the script includes them. */

import { type AddressPrefix, parseAddress, prefixOf } from '../../net/address/index.js';
import { type Check, type Finding, finding, unreadable } from './finding.js';
import {
  advertisedNames,
  defined,
  findLine,
  INCLUDE,
  modparam,
  place,
  ROUTE_HEAD,
  type ScriptLine,
  TLS_MODULE,
} from './kamailio-script.js';
import type { Site } from './site.js';

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
  { name: 'script-timeout', asks: 'module http_client gives siptrustd time enough', look: timeout },
  {
    name: 'kamailio-version',
    asks: 'Kamailio is 5.6 or newer, none of 5.7.0 to 5.7.4, 5.8.0 and 5.8.1, and before 6.0 has one TCP worker or `tls_threads_mode`',
    look: version,
  },
  {
    name: 'script-advertise',
    asks: 'Kamailio before 5.8 finds the names that its sockets advertise',
    look: advertised,
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
  // Those without a name add up, in their order; on where one with a name stands nothing depends.
  const route = lines.findIndex(({ text }) => {
    const [head, , name = ''] = ROUTE_HEAD.exec(text) ?? [];
    return head !== undefined && /^0?$/.test(name);
  });
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
  const entries = insideNets(lines);
  const wrong = entries.filter((entry) => entry !== '' && netOf(entry) === undefined);
  if (wrong.length > 0) {
    found.push(
      finding(
        'outage',
        `${place(nets.at)}: expected ADDRESS or ADDRESS/LENGTH, found ${wrong.join(', ')}: left out, your users there count as strangers`,
        line,
      ),
    );
  }
  if (entries.some((entry) => netOf(entry)?.length === 0)) {
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

const HTTP_MODULE = /^loadmodulex?[\s(]*["'](?:[^"']*\/)?http_client(?:\.so)?["']/;
const TIMEOUT_MODE = modparam('http_client', 'timeout_mode');

/** The include leaves siptrustd 1 where the script has loaded the module itself (seconds, unless it says otherwise), else milliseconds. */
function timeout({ script }: Site): readonly Finding[] {
  if (!('value' in script)) return [];
  const included = script.value.findIndex(({ text }) => INCLUDE.test(text));
  if (included < 0) return [];
  const own = findLine(script.value.slice(0, included), HTTP_MODULE) !== undefined;
  const at = script.value.slice(own ? 0 : included).findLast(({ text }) => TIMEOUT_MODE.test(text));
  const mode = TIMEOUT_MODE.exec(at?.text ?? '')?.groups?.word;
  if (at === undefined || mode === undefined) return [];
  if (mode === '0') {
    const found = `${place(at)}: without a time limit a siptrustd that hangs holds each process that asks it`;
    return [finding('risk', found, 'take it out')];
  }
  if (!own && mode === '1') {
    const found = `${place(at)}: behind the include, the milliseconds of SIPTRUST_TIMEOUT_MS are seconds with it`;
    return [finding('risk', found, 'take it out, and ;timeout= in milliseconds for connections of your own')];
  }
  if (!own || mode !== '2' || /;timeout=/.test(defined(script.value, 'SIPTRUST_HTTP_1')?.value ?? '')) return [];
  const found = `${place(at)}: the one second that the include leaves to siptrustd is a millisecond with it: nobody is trusted`;
  return [finding('outage', found, '#!define SIPTRUST_HTTP_1 "siptrust1=>http://127.0.0.1:7061/rpc;timeout=300"')];
}

/** What SIPTRUST_INSIDE_NETS names. */
export function insideNets(lines: readonly ScriptLine[]): readonly string[] {
  const value = defined(lines, 'SIPTRUST_INSIDE_NETS')?.value ?? '';
  return (/^"([^"]*)"/.exec(value)?.[1] ?? '').split(',').map((entry) => entry.trim());
}

/** A network as Kamailio compares it with addresses: bits set after the length do not count. */
export function netOf(entry: string): AddressPrefix | undefined {
  const [, text = '', length] = /^([\d.]+|[\da-f:]+)(?:\/(\d+))?$/i.exec(entry) ?? [];
  const address = parseAddress(text);
  const bits = 8 * (address?.bytes.length ?? 0);
  return address === undefined || Number(length ?? bits) > bits ? undefined : prefixOf(address, Number(length ?? bits));
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

/** `kamailio -c` says that the file is good; the start goes on without the socket. */
function advertised({ kamailio = '', script, unknownNames }: Site): readonly Finding[] {
  if (!('value' in script) || !/^5\.[67]\./.test(kamailio)) return [];
  return advertisedNames(script.value).flatMap(({ at, name }) => {
    if (!unknownNames.has(name)) return [];
    const found = `${place(at)}: neither DNS nor /etc/hosts has the name ${name} that is advertised: Kamailio ${kamailio} starts without this socket`;
    return [finding('outage', found, `a line for ${name} in /etc/hosts, with the address that partners reach`)];
  });
}
