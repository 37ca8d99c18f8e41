/** Checks of an OpenSIPS: what it can serve, the plugin's files, and the lines that its script needs. */

import { opensipsInclude } from '../../sip/opensips/index.js';
import { servedByWords } from '../../trust/agreement/index.js';
import { type Check, type Finding, finding, unreadable } from './finding.js';
import {
  addedFields,
  givenFields,
  helperOf,
  insideSockets,
  listeningAt,
  loadedAt,
  type OpensipsRoute,
  opensipsRoutes,
  readFields,
  readsOn,
  STRINGS,
  takesMsrps,
  tcpThreads,
  tlsDomains,
  undoneSettings,
} from './opensips-script.js';
import { CLAIMED, isPrivate, lowerCase, PRIVATE } from './private-names.js';
import type { Site, SourceFile } from './site.js';

const HEADERS = 'siptrust-headers.cfg';

export const opensipsChecks: readonly Check[] = [
  {
    name: 'opensips-agreements',
    asks: 'with `--opensips`: an OpenSIPS, which has words about certificates alone, can serve each agreement',
    look: ({ policy, options }) => {
      if (options.opensips !== true || !policy.ok) return [];
      return [...policy.snapshot.agreements].flatMap((agreement) => {
        const { served, why } = servedByWords(agreement);
        const next = 'see docs/opensips.md, or serve it by Kamailio';
        return served === 'yes'
          ? []
          : [finding(served === 'no' ? 'outage' : 'risk', `${agreement.name}: ${why}`, next)];
      });
    },
  },
  {
    name: 'opensips-plugin',
    asks: 'with `--opensips`: the files of plugin/opensips are there, with the header table of this version',
    look: plugin,
  },
  {
    name: 'opensips-script',
    asks: 'with `--opensips`: each route of its script calls the plugin where it must, and nothing private passes by it',
    look: script,
  },
];

function plugin({ opensips, options }: Site): readonly Finding[] {
  if (opensips === undefined) return [];
  const { plugin: installed } = opensips;
  const copy = `cp plugin/opensips/siptrust*.cfg ${options.opensipsPlugin}/`;
  if (!('value' in installed)) return [unreadable(installed.missing, `mkdir -p ${options.opensipsPlugin} && ${copy}`)];
  const where = `${options.opensipsPlugin}:`;
  const missing = ['siptrust.cfg', HEADERS].filter((name) => !installed.value.has(name));
  if (missing.length > 0) return [finding('leak', `${where} ${missing.join(', ')} is not there`, copy)];
  return installed.value.get(HEADERS) === asRead(opensipsInclude())
    ? []
    : [
        finding(
          'leak',
          `${where} ${HEADERS} is not of this version: what it removes is not what siptrustd counts on`,
          `siptrustctl headers --opensips > ${options.opensipsPlugin}/${HEADERS}, and restart OpenSIPS`,
        ),
      ];
}

/** One character per byte, as files are read here. */
function asRead(text: string): string {
  return Buffer.from(text).toString('latin1');
}

/** What a kind of route has to call; `first`: before anything else, otherwise behind all of it; `needed`: each script has one. */
const CALLS: readonly {
  readonly harm: 'leak' | 'risk';
  readonly kind: string;
  readonly named: boolean;
  readonly calls: string;
  readonly first: boolean;
  readonly needed: boolean;
}[] = [
  { harm: 'leak', kind: 'route', named: false, calls: 'SIPTRUST_IN', first: true, needed: true },
  { harm: 'leak', kind: 'onreply_route', named: false, calls: 'SIPTRUST_REPLY', first: true, needed: true },
  { harm: 'leak', kind: 'onreply_route', named: true, calls: 'SIPTRUST_BACK', first: true, needed: false },
  { harm: 'leak', kind: 'branch_route', named: true, calls: 'SIPTRUST_OUT', first: false, needed: false },
  // After a timeout nothing else of siptrust stands before a branch_route that it arms.
  { harm: 'risk', kind: 'failure_route', named: true, calls: 'SIPTRUST_SHUT', first: true, needed: false },
  { harm: 'leak', kind: 'local_route', named: false, calls: 'SIPTRUST_LOCAL', first: false, needed: false },
];

/** Ends the route before its last line. */
const LEAVES = /(?<![\w$(])(?:return|exit)(?![a-z_])/;

/** Right behind a call that stands by itself. */
const LEAVES_BEHIND = /(?<=[;{}:])(route\(\w+\);)(?:return|exit)/g;

/** Calls that get past the plugin, or take its door away. */
const BYPASSES: readonly {
  readonly call: RegExp;
  readonly harm: 'leak' | 'outage';
  readonly text: string;
  readonly next?: string;
}[] = [
  { call: /(?<![a-z_])send\(/, harm: 'leak', text: 'sends past every branch_route' },
  {
    call: /(?<![a-z_])(?:forward|t_replicate)\(/,
    harm: 'outage',
    text: 'sends past every branch_route: siptrust lets nothing through there',
  },
  {
    // A branch_route sees $ru and $du, and not this.
    call: /(?<![a-z_])t_relay\((?:"[^"]*"|\$\w*\((?:[^()"]|\([^()"]*\))*\)|[^",()]*)\s*,/,
    harm: 'leak',
    text: 'names a proxy in t_relay() that no route sees: what $ru leads to is believed to get it',
    next: 'set $du to it instead',
  },
  {
    // It writes the message anew, out of what came: what was taken out is there again.
    call: /(?<![a-z_])mc_decompress\(/,
    harm: 'leak',
    text: 'unpacks, or brings back, what route(SIPTRUST_IN) has not seen or has taken out',
    next: 'write it alone, mc_decompress(); right before that line',
  },
  {
    call: /(?<![a-z_])(?:force_tcp_alias\(|set_via_handling\("[^"]*force-tcp-alias)/,
    harm: 'leak',
    text: 'has calls to a partner go over a connection that somebody else at its address has opened',
    next: 'delete it',
  },
  {
    // Without a type it takes all of them out.
    call: /(?<![a-z_])remove_body_part\((?!\))/,
    harm: 'leak',
    text: 'makes fields of the message of those that the part which it leaves alone bears, past siptrust',
    next: 'take all parts out, remove_body_part(), and add_body_part() what is to stay',
  },
  {
    call: /(?<![a-z_])unuse_blacklist\("(?:all|siptrust_\w+)"\)/,
    harm: 'leak',
    text: 'opens the door that siptrust has shut',
  },
];

/** A route that is called sees no parameter of the event: it is given them. */
const CLOSED =
  'route(SIPTRUST_CLOSED, $param(proto), $param(src_ip), $param(src_port), $param(dst_ip), $param(dst_port));';

function script(site: Site): readonly Finding[] {
  const { opensips, options } = site;
  if (opensips === undefined) return [];
  if (!('value' in opensips.script)) {
    return [finding('risk', opensips.script.missing, 'name it by --opensips-cfg FILE: nothing was looked at in it')];
  }
  const files = opensips.script.value;
  const routes = files.flatMap(({ file, text }) =>
    opensipsRoutes(text).map((route) => ({ ...route, file, body: unpacked(route.body) })),
  );
  const found: Finding[] = [];
  for (const { harm, kind, named, calls, first, needed } of CALLS) {
    const here = routes.filter((route) => route.kind === kind && (route.name !== '') === named);
    if (here.length === 0 && needed) {
      const missing = `${options.opensipsCfg}: there is no ${kind} that calls route(${calls})`;
      found.push(finding(harm, missing, `add ${kind} { route(${calls}); }`));
    }
    for (const { file, name, body, line } of here) {
      const what = `${file}:${line}: ${kind}${name === '' ? '' : `[${name}]`}`;
      const call = `route(${calls});`;
      if (first ? body.startsWith(call) : endsBy(call, body)) continue;
      const where = first ? 'as its first line' : 'as its last line, on every way';
      found.push(finding(harm, `${what} does not call ${call.slice(0, -1)} ${where}`, `add ${call} there`));
    }
  }
  for (const { file, kind, name, body, line } of routes) {
    const what = `${file}:${line}: ${kind}${name === '' ? '' : `[${name}]`}`;
    for (const { call, harm, text, next = 'send by t_relay()' } of BYPASSES) {
      if (call.test(body)) found.push(finding(harm, `${what} ${text}`, next));
    }
    // (Behind a look at the verdict it knows of whom.)
    const [blind = ''] = body.split('$avp(siptrust_', 1);
    const claimed = readFields(blind).filter((name) => CLAIMED?.includes(lowerCase(name)));
    if (claimed.length > 0) {
      const harm = `${what} reads ${[...new Set(claimed)].join(', ')} as it came: what a stranger claims is still there`;
      found.push(finding('risk', harm, 'read $avp(siptrust_asserted), or ask for $avp(siptrust_trusted) before it'));
    }
    if (kind === 'onreply_route') {
      const added = addedFields(body).filter(({ by }) => by !== 'append_to_reply');
      found.push(...added.flatMap(({ names, by }) => given(`${what}: ${by}`, by, names)));
    }
    if (name.startsWith('E_CORE_TCP_DISCONNECT') && !body.includes(CLOSED.replaceAll(' ', ''))) {
      const harm = 'siptrust does not hear of closed connections';
      found.push(finding('risk', `${what}: ${harm}`, `delete the one of siptrust.cfg, and write ${CLOSED} here`));
    }
  }
  return [
    ...[...found, ...helped(files, routes), ...framed(files), ...elsewhere(files, site)],
    ...threaded(files, site),
    ...hungUp(files, site),
    ...[undone, givenAway, unverified].flatMap((look) => files.flatMap(look)),
  ];
}

/** Frames of MSRP pass no route. Over TLS one of them, which bears a request, would be a partner's trusted message from us. */
function framed(files: readonly SourceFile[]): readonly Finding[] {
  if (!files.some(({ text }) => takesMsrps(text))) return [];
  return files.flatMap(({ file, text }) =>
    ['msrp_relay', 'msrp_ua'].flatMap((module) => {
      const line = loadedAt(text, module);
      if (line === undefined) return [];
      const harm = `frames of ${module} go to any address over TLS, with our certificate, past every route`;
      return [finding('leak', `${file}:${line}: ${harm}`, 'have MSRP over TLS on an OpenSIPS of its own')];
    }),
  );
}

/** script_helper relays the requests of a dialog itself: `route` does not see them, but the one that it is told to run does. */
function helped(files: readonly SourceFile[], routes: readonly OpensipsRoute[]): readonly Finding[] {
  const helpers = files.map(({ file, text }) => ({ file, ...helperOf(text) }));
  const runs = helpers.find(({ route }) => route !== undefined)?.route;
  const call = 'route(SIPTRUST_IN);';
  if (routes.some(({ kind, name, body }) => kind === 'route' && name === runs && body.startsWith(call))) return [];
  const next = `modparam("script_helper", "sequential_route", "${runs ?? 'SEQUENTIAL'}"), and route[${runs ?? 'SEQUENTIAL'}] { ${call} }`;
  return helpers
    .filter(({ line }) => line !== undefined)
    .map(({ file, line }) =>
      finding('leak', `${file}:${line}: script_helper relays the requests of a dialog past ${call.slice(0, -1)}`, next),
    );
}

/** Without blanks; behind a bracket or `else` the call stands on one way alone. */
function endsBy(call: string, body: string): boolean {
  const text = `;${body.replace(STRINGS, '""')}`;
  const early = text.replace(LEAVES_BEHIND, (all, called) => (called === call ? '' : all));
  return /[;}]$/.test(text.slice(0, -call.length)) && text.endsWith(call) && !LEAVES.test(early);
}

function undone({ file, text }: SourceFile): readonly Finding[] {
  return undoneSettings(text).map(({ name, line }) => {
    const told = `${file}:${line}: ${name} is set again behind siptrust.cfg, which`;
    return name.endsWith('_timeout')
      ? finding('risk', `${told} waits so long for siptrustd, too`, 'write it before the include')
      : finding('leak', `${told} rests on its value`, 'delete it');
  });
}

function threaded(files: readonly SourceFile[], { opensips, options }: Site): readonly Finding[] {
  const harm = "a connection may be given the words of another one's certificate";
  const next = 'tcp_threads = 1';
  const said = files.flatMap(({ file, text }) => tcpThreads(text).map((each) => ({ ...each, file })));
  // (3.4 and 3.6 do not know the word.)
  const version = opensips?.version ?? '';
  if (said.length === 0 && Number.parseInt(version, 10) >= 4) {
    const many = `${options.opensipsCfg}: OpenSIPS ${version} has a thread for each processor`;
    return [finding('leak', `${many}: ${harm}`, next)];
  }
  return said
    .filter(({ one }) => !one)
    .map(({ file, line }) => finding('leak', `${file}:${line}: tcp_threads: more than one thread: ${harm}`, next));
}

function hungUp(files: readonly SourceFile[], { options }: Site): readonly Finding[] {
  if (files.some(({ text }) => readsOn(text))) return [];
  const harm = `${options.opensipsCfg}: a partner that writes each header line in a TLS record of its own, as FreeSWITCH does, loses its connection`;
  return [finding('risk', harm, 'modparam("proto_tls", "tls_max_msg_chunks", 260)')];
}

/** Sockets of the settings by which nothing can come in. */
function elsewhere(files: readonly SourceFile[], { opensips, options }: Site): readonly Finding[] {
  const all = files.map(({ text }) => listeningAt(text));
  const named = insideSockets(
    (opensips && 'value' in opensips.plugin && opensips.plugin.value.get('siptrust.cfg')) || '',
  );
  const there = all.every((sockets) => sockets !== undefined) ? all.flat() : [];
  if (there.length === 0) return [];
  const missing = named.filter((socket) => !there.includes(socket) && /^[a-z]+:[0-9.]+:[0-9]+$/.test(socket));
  const settings = `${options.opensipsPlugin}/siptrust.cfg`;
  return missing.map((socket) =>
    finding(
      missing.length === named.length ? 'outage' : 'note',
      `${settings}: siptrust_inside_sockets names ${socket}, which is no socket of ${options.opensipsCfg}: what comes from our own side counts as a stranger's`,
      `name the one that faces your own network in ${settings}`,
    ),
  );
}

/** The stack's own verdict stands before that of siptrustd. */
function unverified({ file, text }: SourceFile): readonly Finding[] {
  const domains = tlsDomains(text);
  return domains.flatMap(({ kind, name, line }) => {
    if (line === undefined) return [];
    // (Another one may be that of phones.)
    const others = domains.some((other) => other.kind === kind && other.line === undefined);
    const what =
      kind === 'server'
        ? 'callers are not asked for a certificate'
        : 'the certificate of a place that is called is not verified';
    return [
      finding(
        others ? 'note' : 'outage',
        `${file}:${line}: ${kind} domain ${name}: ${what}: none of them can be trusted`,
        `modparam("tls_mgm", "verify_cert", "[${name}]1")`,
      ),
    ];
  });
}

/** What comes packed is unpacked before anybody looks at it. */
function unpacked(body: string): string {
  return body.replace(/^mc_decompress\(\);(?=route\(SIPTRUST_(?:IN|REPLY)\);)/, '');
}

/** What a file has b2b copy, and adds to replies and to the requests of tm: none of it is seen where it leaves. */
function givenAway({ file, text }: SourceFile): readonly Finding[] {
  return givenFields(text).flatMap(({ names, pattern, by, line }) => {
    const copied = PRIVATE.filter((name) => pattern?.test(name.replace('*', 'x')));
    return given(`${file}:${line}: ${by}`, by, names === undefined ? undefined : [...names, ...copied]);
  });
}

/** `names`: of the fields that go out unseen; undefined: a variable says them. */
function given(where: string, by: string, names: readonly string[] | undefined): readonly Finding[] {
  if (names === undefined) {
    const next = 'write the names of its fields out, and none that is private';
    return [finding('risk', `${where}: what it adds cannot be read here, and siptrust does not see it`, next)];
  }
  const gone = names.filter((name) => isPrivate(name));
  if (gone.length === 0) return [];
  const harm = by.startsWith('custom_headers') ? 'b2b copies it from strangers, and to them' : 'whoever gets it';
  const named = gone.length > 3 ? `${gone.slice(0, 3).join(', ')} and ${gone.length - 3} more` : gone.join(', ');
  return [finding('leak', `${where} has ${named}: ${harm}, past siptrust`, 'take it out there')];
}
