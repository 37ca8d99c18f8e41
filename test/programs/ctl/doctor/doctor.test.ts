/** `siptrustctl doctor`: a site on which nothing is wrong, and then one fault after the other. */

import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { CHECKS, checksOf } from '../../../../src/ctl/doctor/checks.js';
import {
  activeLines,
  branchRoutes,
  defined,
  scriptLines,
  tlsSetup,
} from '../../../../src/ctl/doctor/kamailio-script.js';
import { readSite, type Site } from '../../../../src/ctl/doctor/site.js';
import { tlsProfiles } from '../../../../src/ctl/doctor/tls-profiles.js';
import { VERSION } from '../../../../src/version.js';
import { siptrustctl } from '../../../support/command-line.js';
import { OpensslPki } from '../../../support/openssl-pki.js';

const PLUGIN = join(import.meta.dirname, '../../../../plugin/kamailio');
const root = mkdtempSync(join(tmpdir(), 'siptrust-doctor-'));
const pki = new OpensslPki(root);
let made = 0;
let directory = root;
const file = (name: string) => join(directory, name);

const SCRIPT = `#!KAMAILIO
/* the module of
   include_file "siptrust.cfg" is loaded below */
tcp_children=1
enable_tls=yes
#!define SIPTRUST_GROUPS "GROUPS"
loadmodule "tls.so"
#!define SIPTRUST_INSIDE_NETS "10.0.0.0/8"
include_file "siptrust/siptrust.cfg"
request_route {
    t_on_branch("OUT"); # not the last
    if (is_method("ACK")) route(SIPTRUST_OUT); t_relay();
}
branch_route[OUT] {
    if ($rU == "}") { xlog("x { y t_relay_to_udp(x)"); }
    route(SIPTRUST_OUT);
}
modparam("tls", "config", "tls.cfg")
`;
const PROFILES = `# profiles
[server:default]
method = TLSv1.2+
verify_client = optional_no_ca
certificate = own.pem
private_key = own.key
ca_list = root.pem
[client:default]
method = TLSv1.2+
verify_certificate = yes
certificate = own.pem
private_key = own.key
ca_list = root.pem
`;
const POLICY = `own_domains: [a.example]
agreements:
  - {name: op-b, domains: [b.example], mechanism: tls, anchors: [root.pem], crls: [root.crl], revocation: hard}
`;

beforeAll(() => {
  pki.root('root');
  pki.root('other');
  pki.issue('root', 'own', ['subjectAltName=DNS:a.example']);
  const ca = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign'];
  pki.issue('root', 'below', ca);
  pki.issue('below', 'issuing', ca);
  pki.issue('root', 'soon', ['subjectAltName=DNS:a.example'], 5);
  const both = ['root.pem', 'other.pem'].map((name) => readFileSync(pki.path(name), 'utf8'));
  writeFileSync(pki.path('both.pem'), both.join(''));
  writeFileSync(pki.path('index.txt'), '');
  writeFileSync(pki.path('crlnumber'), '01\n');
  writeFileSync(
    pki.path('ca.cnf'),
    '[ca]\ndefault_ca=own\n[own]\ncertificate=root.pem\nprivate_key=root.key\ndatabase=index.txt\ncrlnumber=crlnumber\ndefault_md=sha256\ndefault_crl_days=30\n',
  );
  pki.openssl('ca', '-config', 'ca.cnf', '-gencrl', '-out', 'root.crl');
  pki.openssl(
    'ca',
    '-config',
    'ca.cnf',
    '-gencrl',
    '-crl_lastupdate',
    '20200101000000Z',
    '-crl_nextupdate',
    '20200201000000Z',
    '-out',
    'stale.crl',
  );
});
afterAll(() => rmSync(root, { recursive: true }));
beforeEach(() => {
  directory = join(root, `d${++made}`);
  mkdirSync(directory);
  for (const name of ['root.pem', 'own.pem', 'own.key', 'soon.pem', 'soon.key', 'root.crl', 'stale.crl'])
    cpSync(pki.path(name), file(name));
  chmodSync(file('own.key'), 0o600);
  chmodSync(file('soon.key'), 0o600);
  cpSync(PLUGIN, file('siptrust'), { recursive: true });
  writeFileSync(file('kamailio.cfg'), SCRIPT.replace('"GROUPS"', `"${file('siptrust/siptrust-groups.txt')}"`));
  writeFileSync(file('tls.cfg'), PROFILES);
  writeFileSync(file('siptrust.yaml'), POLICY, { mode: 0o644 });
});

const options = () => ({
  ...{ config: file('siptrust.yaml'), kamailioCfg: file('kamailio.cfg') },
  ...{ tlsCfg: file('tls.cfg'), plugin: file('siptrust') },
  ...{ opensipsCfg: file('opensips.cfg'), opensipsPlugin: file('opensips') },
});

/** A daemon that does well, but for what a test says. */
function daemon(
  over: {
    readonly now?: number;
    readonly version?: string;
    readonly loadedAt?: number;
    readonly problems?: readonly string[];
    readonly warnings?: readonly string[];
  } = {},
) {
  return async (method: string): Promise<unknown> => {
    if (method === 'core.uptime') return { now: new Date(over.now ?? Date.now()).toISOString() };
    const { version = VERSION, loadedAt = Date.now() + 1000, problems = [], warnings = [] } = over;
    return { version, loaded_at: new Date(loadedAt).toISOString(), problems, warnings };
  };
}

async function looked(ask = daemon(), over: Partial<Site> = {}): Promise<readonly string[]> {
  const site = { ...(await readSite(options(), ask)), ...over };
  return CHECKS.flatMap(({ name, look }) => look(site).map(({ harm, found }) => `${harm} ${name}: ${found}`));
}

const change = (name: string, from: string | RegExp, to: string) => {
  const text = readFileSync(file(name), 'utf8');
  const changed = text.replace(from, to);
  if (changed === text) throw new Error(`expected ${from} in ${name}`);
  writeFileSync(file(name), changed);
};

/** A file in place of the directory (tests may run as root, whom no mode keeps out). */
function unlisted(name: string): void {
  rmSync(file(name), { recursive: true });
  writeFileSync(file(name), '');
}

test('fail/a policy in a directory that cannot be looked into is told, as all else is', async () => {
  const site = await readSite({ ...options(), config: join(file('kamailio.cfg'), 'siptrust.yaml') }, daemon());
  const found = CHECKS.flatMap(({ name, look }) => look(site).map((each) => `${name}: ${each.found}`));
  expect(found).toContainEqual(
    expect.stringMatching(/^policy: .*siptrust\.yaml:1:1: error: a part of the path is no directory/),
  );
});

test('ok/a site on which nothing is wrong; one with all that an inside net may be, and a module that restores nothing by itself', async () => {
  expect(await looked(daemon(), { kamailio: '5.6.3' })).toEqual([]);
  change('tls.cfg', /ca_list = root.pem/, 'ca_list = both.pem');
  cpSync(pki.path('both.pem'), file('both.pem'));
  change('siptrust.yaml', /^/, 'daemon: {listen: {http: 127.0.0.1:8061}}\n');
  change('kamailio.cfg', '#!define', '#!define SIPTRUST_HTTP_1 "siptrust1=>http://127.0.0.1:8061/rpc"\n#!define');
  const advertised =
    'listen=tcp:10.0.0.1:5061 advertise localhost:5061\nlisten=udp:10.0.0.1:5060 advertise 192.0.2.1:5060';
  change('kamailio.cfg', 'tcp_children=1', `tcp_children=1\n${advertised}`);
  change('kamailio.cfg', '10.0.0.0/8', '10.1.2.3/8,192.168.7.9 , 2001:db8:7::/48,, ::1/0128, ');
  expect(await looked(daemon(), { kamailio: '5.6.3' })).toEqual([]);
  const uac =
    'loadmodule "uac.so"\nmodparam("uac", "restore_mode", "auto")\nmodparam ("tm|uac", "restore_mode", "manual")';
  change('kamailio.cfg', 'loadmodule "tls.so"', `loadmodule "tls.so"\n${uac}`);
  expect(await looked(daemon(), { kamailio: '5.6.3' })).toEqual([]);
});
test('ok/fields that the script adds: what leaves to anybody, what is applied, what is for partners alone; a branch route that calls the line by way of another', async () => {
  const [sure, hint, identity] = [
    'append_hf("Organization: x\\r\\n"); append_hf("$var(row)"); append_hf(ROW);',
    'append_hf("X-Hint: outbound\\r\\n");\n    uac_replace_to("sip:x@a.example");\n    set_contact_alias();\n    msg_apply_changes();',
    'if ($var(siptrust_p) >= SIPTRUST_P_TRUSTED) {\n        append_hf("P-Asserted-Identity: <sip:x@a.example>\\r\\n");\n    }',
  ];
  change('kamailio.cfg', '    t_on_branch("OUT")', `    ${sure}\n    ${hint}\n    t_on_branch("OUT")`);
  change(
    'kamailio.cfg',
    '    route(SIPTRUST_OUT);\n}',
    `    route(MORE);\n}\nroute[MORE] {\n    route(MORE);\n    route(LAST);\n}\nroute[LAST] {\n    route(SIPTRUST_OUT);\n    ${identity}\n}`,
  );
  expect(await looked(daemon(), { kamailio: '5.6.3' })).toEqual([]);
});
describe('fields that the script adds, by the kind of the route', () => {
  const hint = 'append_hf("X-Hint: x\\r\\n");';
  const ask = `if ($var(siptrust_p) >= SIPTRUST_P_TRUSTED) {\n route(X);\n ${hint}\n }`;
  const applied = `${hint}\n msg_apply_changes();`;
  const reason = 'append_hf("Reason: Q.850;cause=16\\r\\n");';
  const added = async (routes: string) => {
    change('kamailio.cfg', /$/, `${routes.replace(/ (route\[|\})/g, '\n$1')}\n`);
    return (await looked()).filter((found) => / script-(?:append|out): /.test(found));
  };
  test.each([
    ['applied behind a call of a route', `route[A] { ${hint}\n route(NAT);\n msg_apply_changes();\n record_route(); }`],
    ['for partners alone, with a call of a route', `branch_route[A] {\n route(SIPTRUST_OUT);\n ${ask} }`],
    [
      'for partners alone, in a route that is called',
      `branch_route[A] {\n route(SIPTRUST_OUT);\n route(B); } route[B] { ${ask} }`,
    ],
    [
      'for partners alone, behind a route that calls',
      `branch_route[A] { route(B);\n ${ask} } route[B] { route(SIPTRUST_OUT); }`,
    ],
    ['a request may bear Reason', `request_route { ${reason} } failure_route[A] { ${reason} }`],
  ])('ok/%s', async (_, routes) => expect(await added(routes)).toEqual([]));

  const [take, apply, inBranch] = ['take it out', 'msg_apply_changes() behind it', 'in a branch_route, behind'];
  test.each([
    ['behind record_route()', `route {\n record_route();\n ${applied} }`, 'is not sent', [take, apply, inBranch]],
    ['a failure_route', `failure_route[A] {\n ${applied} }`, 'is not sent', [take, inBranch]],
    ['what it calls', `failure_route[A] { route(B); } route[B] {\n ${applied} }`, 'is not sent', [take, inBranch]],
    ['a branch_route', `branch_route[A] { route(SIPTRUST_OUT);\n ${applied} }`, 'is not sent', [take, inBranch]],
    ['asked too early', `branch_route[A] {\n ${ask}\n route(SIPTRUST_OUT); }`, 'is not sent', [take, inBranch]],
    ['asked in a request_route', `request_route {\n ${ask} }`, 'is not sent', [take, apply, inBranch]],
    ['an onreply_route', `onreply_route[A] {\n ${applied} }`, 'is not sent', [take]],
    ['Reason in an answer', `reply_route {\n ${reason} }`, 'is not sent', [take]],
    ['requests of the proxy', `event_route[tm:local-request] {\n ${hint} }`, 'leaves unseen', [take]],
    [
      'its own answers',
      'request_route { append_to_reply("X-Hint: x\\r\\n"); msg_apply_changes(); }',
      'leaves unseen',
      [take],
    ],
  ])('fail/%s', async (_, routes, fate, advice) => {
    expect(await added(routes)).toEqual([
      expect.stringMatching(
        new RegExp(`^note script-append: .*adds (X-Hint|Reason) to ${fate}, if it goes to strangers$`),
      ),
    ]);
    const next = CHECKS.find(({ name }) => name === 'script-append')?.look(await readSite(options(), daemon()))[0]
      ?.next;
    for (const each of [take, apply, inBranch]) expect(next?.includes(each), each).toBe(advice.includes(each));
  });
});
test.each([
  'branch_route[X] {\n route(A);\n}\nroute[A] {\n if ($rU == "x") return;\n route(SIPTRUST_OUT);\n}',
  'branch_route[X] {\n if ($rU == "x") return;\n route(A);\n}\nroute[A] {\n route(B);\n}\nroute[B] {\n route(SIPTRUST_OUT);\n return;\n}',
])('fail/a return before a line that another route calls: %j', async (routes) => {
  change('kamailio.cfg', /$/, `${routes}\n`);
  expect((await looked()).filter((found) => found.includes('script-out'))).toEqual([
    expect.stringMatching(/^risk script-out: .*branch_route\[X\] may return before/),
  ]);
});
test.each([
  ['5.6.3', 'then kamcmd tls.reload, under load a restart of Kamailio'],
  ['6.0.1', 'then kamcmd tls.reload'],
  [undefined, 'then kamcmd tls.reload'],
])('ok/Kamailio %s reads a longer ca_list: %s', async (kamailio, next) => {
  change('tls.cfg', /ca_list = root.pem/g, 'ca_list = other.pem');
  cpSync(pki.path('other.pem'), file('other.pem'));
  const found = CHECKS.find(({ name }) => name === 'tls-anchors')?.look({
    ...(await readSite(options(), daemon())),
    kamailio,
  });
  expect(found?.map((each) => each.next.replace(/^append it to \S+, /, ''))).toEqual([next, next]);
});

test('ok/an anchor that no ca_list holds, of an agreement that is off or has ended; one below a root; a ca_list that OpenSSL alone reads', async () => {
  for (const name of ['other.pem', 'below.pem']) cpSync(pki.path(name), file(name));
  change('siptrust.yaml', 'anchors: [root.pem]', 'anchors: [below.pem]');
  const more = [
    '{name: op-c, domains: [c.example], mechanism: tls, anchors: [other.pem], enabled: false}',
    '{name: op-d, domains: [d.example], mechanism: tls, anchors: [other.pem], valid: {until: 2020-01-01}}',
  ];
  change('siptrust.yaml', /$/, more.map((each) => `  - ${each}\n`).join(''));
  expect((await looked()).filter((found) => found.includes('tls-anchors'))).toEqual([]);
  // Its partner may send the CA between it and the root.
  cpSync(pki.path('issuing.pem'), file('issuing.pem'));
  change('siptrust.yaml', 'anchors: [below.pem]', 'anchors: [issuing.pem]');
  expect((await looked()).filter((found) => found.includes('tls-anchors'))).toEqual([]);
  change('siptrust.yaml', ', enabled: false', '');
  expect((await looked()).filter((found) => found.includes('tls-anchors'))).toHaveLength(2);
  for (const end of ['server', 'client']) {
    change('tls.cfg', 'ca_list = root.pem', `ca_list = ${end}.pem`);
    writeFileSync(file(`${end}.pem`), readFileSync(file('root.pem')));
  }
  writeFileSync(
    file('server.pem'),
    `\ufeff${readFileSync(file('root.pem'), 'utf8')}${readFileSync(file('own.key'), 'utf8')}`,
  );
  expect((await looked()).filter((found) => found.includes('tls-anchors'))).toEqual([
    expect.stringContaining('of a client profile'),
  ]);
});
test('ok/a file of the name siptrust.cfg that includes the plugin is read', async () => {
  const own = '#!define SIPTRUST_INSIDE_NETS "10.0.0.0/8"\ninclude_file "siptrust/siptrust.cfg"\n';
  writeFileSync(file('siptrust.cfg'), own);
  change('kamailio.cfg', /^#!define SIPTRUST_INSIDE_NETS.*\n/m, '');
  change('kamailio.cfg', 'siptrust/siptrust.cfg"\nrequest', 'siptrust.cfg"\nrequest');
  expect(await looked(daemon(), { kamailio: '5.6.3' })).toEqual([]);
});

describe('which tls.cfg a script names', () => {
  test.each([
    ['modparam("tls", "config", "tls.cfg")', true, 'tls.cfg'],
    ['modparam("x", "y", 1) modparam("tls|z",\n  "config", \'/etc/x/tls.cfg\' )', true, '/etc/x/tls.cfg'],
    ['#!define TLS_CFG "/etc/x.cfg"\nmodparam("tls", "config", TLS_CFG)', true, '/etc/x.cfg'],
    ['#!substdef "!TLSCFG!/etc/x.cfg!g"\nmodparam("tls", "config", "TLSCFG")', true, undefined],
    ['modparam("tls", "config", TLSCFG)', true, undefined],
    ['modparamx("tls", "config", "$def(TLSCFG)")', true, undefined],
    ['modparam("tls", "config", "/etc/" + "tls.cfg")', true, undefined],
    ['#!define  SIPTRUST_INSIDE_NETS "10.0.0.0/8"', false, undefined],
  ])('ok/%j', (text, named, file) => {
    expect(tlsSetup(activeLines(scriptLines('kamailio.cfg', text)))).toEqual({ named, file, parameters: [] });
  });
});

describe('where an OpenSIPS asks', () => {
  const OPENSIPS = join(import.meta.dirname, '../../../../plugin/opensips');
  const asked = async (over: Partial<Site> = {}) => {
    const site = await readSite({ ...options(), opensips: true }, daemon());
    const opensips = site.opensips && { ...site.opensips, version };
    return looked(daemon(), { kamailio: '5.6.3', options: site.options, opensips, ...over });
  };
  let version: string | undefined;
  beforeEach(() => {
    cpSync(OPENSIPS, file('opensips'), { recursive: true });
    cpSync(join(OPENSIPS, 'sample.cfg'), file('opensips.cfg'));
    change('siptrust.yaml', 'revocation: hard', 'revocation: soft, attributes: {issuers: [/CN=root]}');
    version = undefined;
  });

  test('fail/OpenSIPS 4.0 whose script says of no threads; ok/one, or a version that has none', async () => {
    version = '3.6.8';
    expect(await asked()).toEqual([]);
    version = '4.0.1';
    expect(await asked()).toEqual([
      expect.stringMatching(/^leak opensips-script: .*opensips.cfg: OpenSIPS 4.0.1 has a thread for each processor: /),
    ]);
    change('opensips.cfg', '#tcp_threads', 'tcp_threads');
    expect(await asked()).toEqual([]);
  });

  test('ok/the version is that of the program', async () => {
    mkdirSync(file('bin'));
    writeFileSync(file('bin/opensips'), '#!/bin/sh\necho version: opensips 4.0.1\n', { mode: 0o755 });
    vi.stubEnv('PATH', `${file('bin')}:${process.env.PATH}`);
    onTestFinished(() => void vi.unstubAllEnvs());
    expect((await readSite({ ...options(), opensips: true }, daemon())).opensips).toMatchObject({ version: '4.0.1' });
  });

  test('ok/the sample, and an agreement by words', async () => {
    expect(await asked()).toEqual([]);
    change('opensips.cfg', 'route(SIPTRUST_IN);', 'mc_decompress();\n\troute(SIPTRUST_IN);');
    change('opensips.cfg', /^/, 'disable_dns_failover = no\n');
    const again = 'disable_dns_failover = yes\ndisable_stateless_fwd=1\nmodparam("tm", "onreply_avp_mode", 1)\n';
    change('opensips.cfg', 'include_file "siptrust.cfg"\n', `include_file "siptrust.cfg"\n${again}`);
    const reading = [
      ...['xlog("$ai of $(hdr(P-Asserted-Identity))\\n");', '$var(x) = $hdr(Reason) + $retcode + $pr;'],
      'stir_shaken_auth("A", "4437", $var(cert), $var(key), "https://x/y", $(avp(n){s.substr,1,0}));',
    ];
    change('opensips.cfg', 'route(RELAY);', `${reading.join('\n')}\n\troute(RELAY);`);
    const helper = 'loadmodule "x/script_helper.so"\nmodparam("script_helper", "sequential_route", "WITHIN")\n';
    change('opensips.cfg', /^/, `${helper}route[WITHIN] {\n\troute(SIPTRUST_IN);\n}\n`);
    const own =
      'branch_route[OWN] {\n\txlog("exit; return -1;");\n\tif ($rU == "x") {\n\t\troute(SIPTRUST_OUT);\n\t\treturn;\n\t}\n\troute(SIPTRUST_OUT);\n}';
    change('opensips.cfg', /$/, `\n${own}\nroute[KNOWN] {\n\tif ($avp(siptrust_trusted) == 1) $var(x) = $ai;\n}\n`);
    expect(await asked()).toEqual([]);
  });

  test('ok/it stands alone: nothing is said of a Kamailio', async () => {
    const site = await readSite(options(), daemon());
    const missing = { missing: 'none' };
    const alone = { ...site, options: { ...site.options, opensips: true }, script: missing, plugin: missing };
    expect(checksOf({ ...alone, kamailio: undefined }).map(({ name }) => name)).not.toContain('script-include');
    expect(checksOf({ ...alone, kamailio: '5.6.3' })).toBe(CHECKS);
  });

  const found: readonly (readonly [string, () => void, RegExp])[] = [
    [
      'an agreement that words cannot serve',
      () => change('siptrust.yaml', 'revocation: soft', 'revocation: hard'),
      /^outage opensips-agreements: op-b: revocation: hard needs the certificate$/,
    ],
    ['no plugin', () => rmSync(file('opensips'), { recursive: true }), /^leak opensips-plugin: .*no such directory/],
    [
      'a plugin that cannot be looked at',
      () => unlisted('opensips'),
      /^risk opensips-plugin: .*\/opensips: a part of the path/,
    ],
    [
      'the table of another version',
      () => change('opensips/siptrust-headers.cfg', 'P-Served-User', 'P-Serv'),
      /^leak opensips-plugin: .*siptrust-headers.cfg is not of this version/,
    ],
    ['no script', () => rmSync(file('opensips.cfg')), /^risk opensips-script: .*no such file/],
    [
      'the first line comes second',
      () => change('opensips.cfg', 'route(SIPTRUST_IN);', 'xlog("hello");\n\troute(SIPTRUST_IN);'),
      /^leak opensips-script: .*opensips.cfg:\d+: route does not call route\(SIPTRUST_IN\) as its first line$/,
    ],
    [
      'the call is a comment',
      () => change('opensips.cfg', 'route(SIPTRUST_REPLY);', '# route(SIPTRUST_REPLY);'),
      /^leak opensips-script: .*: onreply_route does not call/,
    ],
    [
      'a branch_route of its own without the line',
      () => change('opensips.cfg', /$/, '\nbranch_route[OWN] {\n\txlog("{");\n}\n'),
      /^leak opensips-script: .*: branch_route\[OWN\] does not call route\(SIPTRUST_OUT\) as its last line, on every way$/,
    ],
    [
      'a branch_route that calls it for some branches alone',
      () =>
        change('opensips.cfg', /$/, '\nbranch_route[OWN] {\n\tif ($rU == "x") {\n\t\troute(SIPTRUST_OUT);\n\t}\n}\n'),
      /^leak opensips-script: .*: branch_route\[OWN\] does not call route\(SIPTRUST_OUT\) as its last line, on every way$/,
    ],
    [
      'a local_route of its own without the line',
      () =>
        change('opensips.cfg', /$/, '\nlocal_route {\n\tif (is_method("BYE")) return;\n\troute(SIPTRUST_LOCAL);\n}\n'),
      /^leak opensips-script: .*: local_route does not call route\(SIPTRUST_LOCAL\) as its last line, on every way$/,
    ],
    ...[
      'if (is_method("BYE")) return 1;\n\troute(SIPTRUST_LOCAL);',
      'if (is_method("BYE")) return -1;\n\troute(SIPTRUST_LOCAL);',
      'if (is_method("BYE")) { return $var(x); }\n\troute(SIPTRUST_LOCAL);',
      'if (is_method("BYE")) route(SIPTRUST_LOCAL);',
      'if (is_method("BYE")) { xlog("x"); } else route(SIPTRUST_LOCAL);',
      'if (is_method("BYE")) route(SIPTRUST_LOCAL);\n\treturn;\n\troute(SIPTRUST_LOCAL);',
    ].map((lines): readonly [string, () => void, RegExp] => [
      `a local_route with a way past it: ${lines}`,
      () => change('opensips.cfg', /$/, `\nlocal_route {\n\t${lines}\n}\n`),
      /^leak opensips-script: .*: local_route does not call route\(SIPTRUST_LOCAL\) as its last line, on every way$/,
    ]),
    [
      'send()',
      () => change('opensips.cfg', 'route(RELAY);', 'send("udp:192.0.2.1:5060");'),
      /^leak opensips-script: .*: route sends past every branch_route$/,
    ],
    ...[
      't_relay("no-auto-477", "udp:192.0.2.1:5060");',
      't_relay(, $var(proxy));',
      't_relay($var(f), "udp:1.2.3.4");',
      't_relay($(var(f){s.int}),"udp:1.2.3.4");',
      't_relay($avp(x:y) , "udp:1.2.3.4");',
    ].map((call): readonly [string, () => void, RegExp] => [
      call,
      () => change('opensips.cfg', 'route(RELAY);', call),
      /^leak opensips-script: .*: route names a proxy in t_relay\(\) that no route sees: what \$ru leads to/,
    ]),
    [
      'a part of a body that is left alone',
      () => change('opensips.cfg', 'route(RELAY);', 'remove_body_part("application/isup");'),
      /^leak opensips-script: .*: route makes fields of the message of those that the part which it leaves alone bears, past siptrust$/,
    ],
    [
      'mc_decompress() behind the first line',
      () => change('opensips.cfg', 'route(SIPTRUST_IN);', 'route(SIPTRUST_IN);\n\tmc_decompress();'),
      /^leak opensips-script: .*: route unpacks, or brings back, what route\(SIPTRUST_IN\) has not seen or has taken out$/,
    ],
    [
      'forward()',
      () => change('opensips.cfg', 'route(RELAY);', 'forward("sip:192.0.2.1");'),
      /^outage opensips-script: .*: route sends past every branch_route: siptrust lets nothing through there$/,
    ],
    [
      'a private field that b2b copies',
      () => change('opensips.cfg', /^/, 'modparam("b2b_logic", "custom_headers", "Subject;P-Asserted-Identity")\n'),
      /^leak opensips-script: .*:1: custom_headers has P-Asserted-Identity: b2b copies it from strangers, and to them, past/,
    ],
    [
      'the number of a handset that topology_hiding passes on',
      () =>
        change('opensips.cfg', /^/, 'modparam("topology_hiding", "th_passed_contact_params", "audio;+sip.instance")\n'),
      /^leak opensips-script: .*:1: th_passed_contact_params has \+sip\.instance: whoever gets it, past siptrust$/,
    ],
    [
      'a private field in replies',
      () => change('opensips.cfg', 'route(RELAY);', 'append_to_reply("P-Charging-Vector: icid-value=1\\r\\n");'),
      /^leak opensips-script: .*: append_to_reply has P-Charging-Vector: whoever gets it, past siptrust$/,
    ],
    [
      'a private field in replies, behind another one',
      () => change('opensips.cfg', 'route(RELAY);', 'append_to_reply("X-1: a\\r\\nP-Charging-Vector: b\\r\\n");'),
      /^leak opensips-script: .*: append_to_reply has X-1, P-Charging-Vector: whoever gets it, past siptrust$/,
    ],
    [
      'a private field that an onreply_route adds',
      () =>
        change(
          'opensips.cfg',
          'route(SIPTRUST_REPLY);',
          'route(SIPTRUST_REPLY);\n\tappend_hf("P-Asserted-Identity: <sip:x@y>\\r\\n");',
        ),
      /^leak opensips-script: .*: onreply_route: append_hf has P-Asserted-Identity: whoever gets it, past siptrust$/,
    ],
    [
      'replies with what only a variable says',
      () => change('opensips.cfg', 'route(RELAY);', 'append_to_reply($avp(rows));'),
      /^risk opensips-script: .*: append_to_reply: what it adds cannot be read here/,
    ],
    [
      'a CANCEL with what only a variable says',
      () => change('opensips.cfg', 'route(RELAY);', 't_add_hdrs("$var(name): 1\\r\\n");'),
      /^risk opensips-script: .*: t_add_hdrs: what it adds cannot be read here/,
    ],
    [
      'an expression by which b2b copies private fields',
      () => change('opensips.cfg', /^/, 'modparam("b2b_logic", "custom_headers_regexp", "/^p-as/i")\n'),
      /^leak opensips-script: .*:1: custom_headers_regexp has P-Asserted-Identity, P-Asserted-Service, P-Associated-URI: b2b copies/,
    ],
    [
      'a failure_route that shuts no door',
      () => change('opensips.cfg', /$/, '\nfailure_route[LATE] {\n\tt_relay();\n}\n'),
      /^risk opensips-script: .*: failure_route\[LATE\] does not call route\(SIPTRUST_SHUT\) as its first line$/,
    ],
    [
      'send() in a file that the script includes',
      () => {
        writeFileSync(file('more.cfg'), '\nroute[MORE] {\n\tsend("udp:192.0.2.1:5060");\n}\n');
        change('opensips.cfg', /$/, '\ninclude_file "more.cfg"\n');
      },
      /^leak opensips-script: .*more.cfg:2: route\[MORE\] sends past every branch_route$/,
    ],
    ...['', 'modparam("script_helper", "sequential_route", "RELAY")\n'].map(
      (more): readonly [string, () => void, RegExp] => [
        `requests of a dialog that script_helper relays past siptrust: ${more}`,
        () => change('opensips.cfg', /^/, `loadmodule "script_helper.so"\n${more}`),
        /^leak opensips-script: .*:1: script_helper relays the requests of a dialog past route\(SIPTRUST_IN\)$/,
      ],
    ),
    ...['msrp_relay', 'msrp_ua'].map((name): readonly [string, () => void, RegExp] => [
      `frames of ${name} that go over TLS`,
      () => change('opensips.cfg', /^/, `socket = msrps:127.0.0.2:2856\nloadmodule "${name}.so"\n`),
      new RegExp(
        `^leak opensips-script: .*:2: frames of ${name} go to any address over TLS, with our certificate, past every route$`,
      ),
    ]),
    ...[
      ['server', 'outside', 'callers are not asked for a certificate: none of them can be trusted'],
      ['client', 'partners', 'the certificate of a place that is called is not verified: none of them can be trusted'],
    ].map(([kind, name, harm]): readonly [string, () => void, RegExp] => [
      `a ${kind} domain of TLS that verifies nothing`,
      () => change('opensips.cfg', `"verify_cert", "[${name}]1"`, `"verify_cert", "[${name}]0"`),
      new RegExp(`^outage opensips-script: .*:[0-9]+: ${kind} domain ${name}: ${harm}$`),
    ]),
    ...[
      ['socket = udp:127.0.0.3:5060', '127.0.0.1:5060', 'outage'],
      ['socket = udp:127.0.0.1:5070 as 192.0.2.1', '127.0.0.1:5060', 'outage'],
    ].map(([line = '', named, harm]): readonly [string, () => void, RegExp] => [
      `our own side comes in by ${line}, and the settings name another one`,
      () => change('opensips.cfg', 'socket = udp:127.0.0.1:5060', line),
      new RegExp(
        `^${harm} opensips-script: .*siptrust\\.cfg: siptrust_inside_sockets names udp:${named}, which is no socket of .*opensips\\.cfg: what comes from our own side counts as a stranger's$`,
      ),
    ]),
    ...['force_tcp_alias();', 'set_via_handling("force-rport,force-tcp-alias");'].map(
      (call): readonly [string, () => void, RegExp] => [
        call,
        () => change('opensips.cfg', 'route(RELAY);', `${call}\n\troute(RELAY);`),
        /^leak opensips-script: .*: route has calls to a partner go over a connection that somebody else at its address has opened$/,
      ],
    ),
    [
      'the list of private fields laid off',
      () => change('opensips.cfg', 'route(RELAY);', 'unuse_blacklist("siptrust_private_1");'),
      /^leak opensips-script: .*: route opens the door that siptrust has shut$/,
    ],
    [
      'the door opened',
      () => change('opensips.cfg', 'route(RELAY);', 'unuse_blacklist("all");'),
      /^leak opensips-script: .*: route opens the door that siptrust has shut$/,
    ],
    [
      'a branch_route that leaves before its last line',
      () => change('opensips.cfg', /$/, '\nbranch_route[OWN] {\n\tif ($rU == "x") exit;\n\troute(SIPTRUST_OUT);\n}\n'),
      /^leak opensips-script: .*: branch_route\[OWN\] does not call route\(SIPTRUST_OUT\) as its last line, on every way$/,
    ],
    ...(
      [
        ['$avp(caller) = $(ai{uri.user});', 'P-Asserted-Identity'],
        ['if ($hdr(p-asserted-identity) =~ "x") exit;', 'p-asserted-identity'],
        ['if (is_present_hf("Diversion")) exit;', 'Diversion'],
        ['list_hdr_add_option("P-Asserted-Identity", "<tel:+1>");', 'P-Asserted-Identity'],
        ['$var(x) = $(hdr(Diversion)[0]); uac_replace_from("$re");', 'Diversion, Remote-Party-ID'],
        ['stir_shaken_auth("A", "4437", $var(cert), $var(key), "https://x/y,z");', 'P-Asserted-Identity'],
        ['stir_shaken_verify($(hdr(X-C){s.b64decode}), $var(c), $var(r));', 'P-Asserted-Identity'],
        ['add_isup_part();', 'P-Asserted-Identity'],
        ['emergency_call();', 'P-Asserted-Identity, P-Preferred-Identity, Remote-Party-ID'],
      ] as const
    ).map(([call, names]): readonly [string, () => void, RegExp] => [
      call,
      () => change('opensips.cfg', 'route(RELAY);', `${call}\n\troute(RELAY);`),
      new RegExp(`^risk opensips-script: .*: route reads ${names} as it came: what a stranger claims is still there$`),
    ]),
    ...[
      ...['disable_stateless_fwd = no', 'disable_dns_failover=0', 'modparam("tm", "onreply_avp_mode", 0)'],
      'tcp_accept_aliases = yes',
    ].map((setting): readonly [string, () => void, RegExp] => [
      `${setting} behind siptrust.cfg`,
      () => change('opensips.cfg', 'include_file "siptrust.cfg"\n', `include_file "siptrust.cfg"\n${setting}\n`),
      /^leak opensips-script: .*:\d+: (?:disable_\w+|onreply_avp_mode|tcp_accept_aliases) is set again behind siptrust.cfg, which rests on its value$/,
    ]),
    ...['connection_timeout', 'curl_timeout'].map((name): readonly [string, () => void, RegExp] => [
      `${name} behind siptrust.cfg`,
      () => change('opensips.cfg', /include_file "siptrust.cfg"\n/, `$&modparam("rest_client", "${name}", 10)\n`),
      new RegExp(
        `^risk opensips-script: .*:\\d+: ${name} is set again behind siptrust.cfg, which waits so long for siptrustd, too$`,
      ),
    ]),
    [
      'four reads for each message over TLS',
      () => change('opensips.cfg', /^modparam\("proto_tls", .*\n/m, ''),
      /^risk opensips-script: .*: a partner that writes each header line in a TLS record of its own, as FreeSWITCH does, loses its connection$/,
    ],
    [
      'several threads that read certificates',
      () => change('opensips.cfg', 'include_file "siptrust.cfg"\n', 'tcp_threads = 4\ninclude_file "siptrust.cfg"\n'),
      /^leak opensips-script: .*:\d+: tcp_threads: more than one thread: a connection may be given the words of another one's certificate$/,
    ],
    [
      'a close event of its own',
      () => change('opensips.cfg', /$/, '\nevent_route[E_CORE_TCP_DISCONNECT, sync] {\n\txlog("x");\n}\n'),
      /^risk opensips-script: .*: siptrust does not hear of closed connections$/,
    ],
  ];
  test.each(found)('fail/%s', async (_, fault, line) => {
    fault();
    const lines = await asked();
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(line);
  });
});

const faults: readonly (readonly [name: string, fault: () => void, ...found: readonly RegExp[]])[] = [
  [
    'a policy with an error',
    () => change('siptrust.yaml', 'b.example', '"b.example:5061"'),
    /^outage policy: .*a domain has no port/,
  ],
  [
    'a policy with a warning',
    () => change('siptrust.yaml', 'own_domains: [a.example]\n', ''),
    /^note policy: .*no own domain is named/,
  ],
  [
    'a policy that its group may write',
    () => chmodSync(file('siptrust.yaml'), 0o664),
    /^risk policy-files: .*mode 664/,
  ],
  [
    'a policy of tomorrow',
    () => utimesSync(file('siptrust.yaml'), 1, Date.now() / 1000 + 86400),
    /^risk policy-in-force/,
    /^outage clock: .*siptrust\.yaml was written at/,
  ],
  [
    'a stale list',
    () => change('siptrust.yaml', 'root.crl', 'stale.crl'),
    /^note policy: /,
    /^outage crl-age: op-b: the list of CN=root,O=Operator should have been replaced 2020-02-01/,
  ],
  ['no plugin', () => rmSync(file('siptrust'), { recursive: true }), /^leak plugin: .*no such directory/],
  ['a plugin that cannot be looked at', () => unlisted('siptrust'), /^risk plugin: .*\/siptrust: a part of the path/],
  [
    'a plugin file that is missing',
    () => rmSync(file('siptrust/siptrust-headers.cfg')),
    /^leak plugin: .*siptrust-headers\.cfg missing/,
  ],
  [
    'a header table of another version',
    () => change('siptrust/siptrust-headers.cfg', /$/, '# x\n'),
    /^leak plugin: .*siptrust-headers\.cfg differ/,
  ],
  [
    'groups that are not there',
    () => change('kamailio.cfg', 'siptrust-groups.txt', 'groups.txt'),
    /^outage plugin-groups: SIPTRUST_GROUPS: .*\/groups\.txt: .*: Kamailio does not start$/,
  ],
  [
    'groups that are not there, where the plugin of another place names them',
    () => {
      change('kamailio.cfg', /^#!define SIPTRUST_GROUPS.*\n/m, '');
      change('siptrust/siptrust.cfg', '"/etc/kamailio/siptrust/', `"${directory}/`);
    },
    /^leak plugin: .*siptrust\.cfg differ/,
    /^outage plugin-groups: SIPTRUST_GROUPS: .*\/siptrust-groups\.txt: .*: Kamailio does not start$/,
  ],
  [
    'groups of its own before those of the plugin',
    () => {
      writeFileSync(file('both.txt'), `[0]\nx\n${readFileSync(file('siptrust/siptrust-groups.txt'), 'latin1')}`);
      change('kamailio.cfg', 'siptrust/siptrust-groups.txt', 'both.txt');
    },
    /^outage plugin-groups: SIPTRUST_GROUPS: .*both\.txt does not begin with siptrust-groups\.txt of this version/,
  ],
  [
    'no include',
    () => change('kamailio.cfg', /^include_file.*\n/m, ''),
    /^leak script-include: .*kamailio\.cfg: siptrust\.cfg is not included/,
  ],
  [
    'an include in a comment',
    () => change('kamailio.cfg', /^include_file/m, '# include_file'),
    /^leak script-include: /,
  ],
  [
    'an include behind the routes',
    () => change('kamailio.cfg', /^(include_file.*\n)([\s\S]*)/m, '$2$1'),
    /^leak script-include: .*kamailio\.cfg:18: .*behind the first route \(.*kamailio\.cfg:9\)/,
  ],
  ...['reply_route', 'onsend_route', 'route[0]'].map((head): (typeof faults)[number] => [
    `an include behind ${head}`,
    () => change('kamailio.cfg', /^include_file/m, `${head} {\n    exit;\n}\ninclude_file`),
    /^leak script-include: .*kamailio\.cfg:12: .*behind the first route \(.*kamailio\.cfg:9\)/,
  ]),
  [
    'an include behind routes with names, as where each part of a script brings its modules and its routes',
    () =>
      change(
        'kamailio.cfg',
        /^include_file/m,
        'route[WEBSOCKET] {\n    exit;\n}\nevent_route[xhttp:request] {\n    exit;\n}\nfailure_route[NEXT] {\n    exit;\n}\ninclude_file',
      ),
  ],
  [
    'an include before the tls module',
    () => change('kamailio.cfg', /^(loadmodule "tls.so"\n)([\s\S]*siptrust.cfg"\n)/m, '$2$1'),
    /^outage script-include: .*before the module tls/,
  ],
  [
    'a tls module that no define switches on, as in the stock script',
    () => change('kamailio.cfg', 'loadmodule "tls.so"\n', '#!ifdef WITH_TLS\nloadmodule "tls.so"\n#!endif\n'),
    /^outage script-include: .*the module tls is not loaded/,
  ],
  [
    'a tls module that is loaded once',
    () => change('kamailio.cfg', 'loadmodule "tls.so"\n', '#!ifndef MOD_tls\nloadmodule("tls.so")\n#!endif\n'),
  ],
  [
    'users who register from other networks',
    () =>
      change(
        'kamailio.cfg',
        't_on_branch(',
        'if (!auth_check("$fd", "subscriber", "1")) exit;\n    save("location");\n    t_on_branch(',
      ),
    /^note script-registrar: .*kamailio\.cfg:12: users who register from other networks are answered 403/,
  ],
  [
    'no tls module',
    () => change('kamailio.cfg', 'loadmodule "tls.so"\n', ''),
    /^outage script-include: .*the module tls is not loaded/,
  ],
  [
    'no inside',
    () => change('kamailio.cfg', /^#!define SIPTRUST_INSIDE_NETS.*\n/m, ''),
    /^outage script-inside: .*not defined before the include/,
  ],
  [
    'a comment in the define',
    () => change('kamailio.cfg', '"10.0.0.0/8"', '"10.0.0.0/8"   # ours'),
    /^outage script-inside: .*kamailio\.cfg:8: expected networks in quotes and nothing behind them/,
  ],
  [
    'everybody is inside',
    () => change('kamailio.cfg', '10.0.0.0/8', '10.0.0.0/8, 0.0.0.0/0'),
    /^leak script-inside: .*whole Internet/,
  ],
  [
    'the whole Internet, otherwise written',
    () => change('kamailio.cfg', '10.0.0.0/8', '10.0.0.0/00'),
    /^leak script-inside: .*whole Internet/,
  ],
  ...[
    ...[
      '10.0.0.0/255.0.0.0',
      '10.0.0.0/x',
      '/x',
      '10.0.0.0/8/8',
      '10.0.0.0/200',
      '10.0.0.0/33',
      '10.0.0.0/',
      '10.0.0.0/-1',
      '::ffff:10.0.0.1',
    ],
    ...[
      'pbx.example',
      '10.0.0',
      '010.0.0.1',
      '[2001:db8::1]',
      '[2001:db8::]/48',
      '2001:db8::/129',
      '10.0.0.1 10.0.0.2',
    ],
  ].map((net): (typeof faults)[number] => [
    `an inside net that is none: ${net}`,
    () => change('kamailio.cfg', '10.0.0.0/8', `10.0.0.0/8, ${net},192.168.7.9`),
    new RegExp(
      `^outage script-inside: .*kamailio\\.cfg:8: expected ADDRESS or ADDRESS/LENGTH, found ${net.replace(/[[\].]/g, '\\$&')}: `,
    ),
  ]),
  [
    'two inside nets that are none',
    () => change('kamailio.cfg', '10.0.0.0/8', '10.0.0.0/8 192.168.7.9, pbx'),
    /^outage script-inside: .*found 10\.0\.0\.0\/8 192\.168\.7\.9, pbx: /,
  ],
  [
    'inside nets that are commas only',
    () => change('kamailio.cfg', '10.0.0.0/8', ' , '),
    /^outage script-inside: .*kamailio\.cfg:8: expected networks in quotes/,
  ],
  [
    'a branch route without SIPTRUST_OUT',
    () => change('kamailio.cfg', '\n    route(SIPTRUST_OUT);\n', '\n'),
    /^outage script-out: .*kamailio\.cfg:14: branch_route\[OUT\] has no route/,
  ],
  [
    'a return before it',
    () => change('kamailio.cfg', '    route(SIPTRUST_OUT);', '    return;\n    route(SIPTRUST_OUT);'),
    /^risk script-out: .*may return before/,
  ],
  [
    'no line for ACK',
    () => change('kamailio.cfg', 'if (is_method("ACK")) route(SIPTRUST_OUT);', ''),
    /^note script-ack: .*kamailio\.cfg: the ACK of a call to a partner takes no proven connection/,
  ],
  ...[
    't_relay("192.0.2.9", "5060")',
    't_relay ( $var(host), "5060")',
    't_relay_to_udp("192.0.2.9", "5060")',
    't_relay_to_tls()',
    't_relay_to()',
    't_forward_nonack_tcp("192.0.2.9", "5060")',
    't_replicate("sip:192.0.2.9")',
  ].map((call): (typeof faults)[number] => [
    `a place that no branch_route sees: ${call}`,
    () => change('kamailio.cfg', '    route(SIPTRUST_OUT);', `    ${call};\n    route(SIPTRUST_OUT);`),
    new RegExp(
      `^risk script-place: .*kamailio\\.cfg:16: no branch_route sees where ${call.split('(')[0]?.trim()}\\(\\) `,
    ),
  ]),
  ...['forward()', 'forward_tcp ( )', '$var(sent) = forward();'].map((call): (typeof faults)[number] => [
    `a request that goes on without a transaction, and was not looked at: ${call}`,
    () => change('kamailio.cfg', 't_relay();', `t_relay(); xlog("forward()");\n    ${call};`),
    new RegExp(
      `^risk script-out: .*kamailio\\.cfg:13: ${/forward\w*/.exec(call)?.[0]}\\(\\) without route\\(SIPTRUST_OUT\\) before it: what has to be cleaned is not sent, if it goes to others$`,
    ),
  ]),
  ...[
    '    route(SIPTRUST_OUT);\n    forward();',
    '    route(STATELESS);\n}\nroute[STATELESS] {\n    if (!route(SIPTRUST_OUT)) exit;\n    forward();',
    '    route(SIPTRUST_OUT);\n    route(STATELESS);\n}\nroute[STATELESS] {\n    forward();',
    '    route(LOOK);\n    forward();\n}\nroute[LOOK] {\n    route(SIPTRUST_OUT);',
  ].map((lines): (typeof faults)[number] => [
    `a request that goes on without a transaction, and was looked at: ${lines}`,
    () => change('kamailio.cfg', 't_relay();', `t_relay();\n${lines}`),
  ]),
  [
    'a place that stands in forward()',
    () =>
      change('kamailio.cfg', 't_relay();', 't_relay();\n    route(SIPTRUST_OUT);\n    forward_udp("192.0.2.9", 5060);'),
    /^risk script-place: .*kamailio\.cfg:14: route\(SIPTRUST_OUT\) does not see where forward_udp\(\) sends to/,
  ],
  ...[
    'send_data("sip:192.0.2.9", "$mb")',
    'sendx("sip:192.0.2.9", "", "$mb")',
    'send_udp("192.0.2.9:5060")',
    'send("192.0.2.9")',
  ].map((call): (typeof faults)[number] => [
    `bytes that pass no gate: ${call}`,
    () => change('kamailio.cfg', 't_relay();', `t_relay(); xlog("send(x)"); sl_send_reply("200", "OK");\n    ${call};`),
    new RegExp(`^note script-raw: .*kamailio\\.cfg:13: what ${call.split('(')[0]}\\(\\) writes passes no gate$`),
  ]),
  ...[
    'modparam("siptrace", "duplicate_uri", "sip:192.0.2.9:9060")',
    'modparam("sipcapture|siptrace", "duplicate_uri", "sip:[2001:db8::9]:9060")',
  ].map((call): (typeof faults)[number] => [
    `messages as they come, to others: ${call}`,
    () => change('kamailio.cfg', 'modparam("tls"', `${call}\nmodparam("tls"`),
    /^risk script-raw: .*kamailio\.cfg:18: messages go to (?:192\.0\.2\.9|2001:db8::9) as they came, with all that they bear$/,
  ]),
  ...['10.1.1.1', '127.0.0.1', 'homer.own.example', '[::1]'].map((host): (typeof faults)[number] => [
    `messages as they come, to our own side: ${host}`,
    () =>
      change(
        'kamailio.cfg',
        'modparam("tls"',
        `modparam("siptrace", "duplicate_uri", "sip:${host}:9060")\nmodparam("tls"`,
      ),
  ]),
  ...[
    'append_hf("X-Hint: outbound\\r\\n")',
    'insert_hf ( "P-Asserted-Identity: <sip:$fU@a.example>\\r\\n", "To" )',
  ].map((call): (typeof faults)[number] => [
    `a private field that the script itself adds: ${call}`,
    () => change('kamailio.cfg', '    t_on_branch("OUT")', `    ${call};\n    t_on_branch("OUT")`),
    /^note script-append: .*kamailio\.cfg:11: what the script adds (?:X-Hint|P-Asserted-Identity) to is not sent, if it goes to strangers$/,
  ]),
  ...[
    ['tcp_accept_haproxy=yes', 'tcp_accept_haproxy'],
    ['tcp_accept_haproxy = 1', 'tcp_accept_haproxy'],
    ['udp_accept_proxy=yes', 'udp_accept_proxy'],
    ['modparam("sipcapture", "hep_capture_on", 1)', 'hep_capture_on'],
  ].map(([line, name]): (typeof faults)[number] => [
    `a source that whoever sends can write: ${line}`,
    () => change('kamailio.cfg', '#!define SIPTRUST_INSIDE', `${line}\n#!define SIPTRUST_INSIDE`),
    new RegExp(
      `^risk script-source: .*kamailio\\.cfg:8: ${name}: who reaches such a socket comes from wherever they say, from inside, too$`,
    ),
  ]),
  [
    'a source that the script writes',
    () =>
      change(
        'kamailio.cfg',
        '    t_on_branch("OUT")',
        '    set_source_address("udp:$hdr(X-From)"); t_on_branch("OUT")',
      ),
    /^risk script-source: .*kamailio\.cfg:11: set_source_address\(\): who asked is whoever it names, and gets answers as such$/,
  ],
  [
    'sources as they are',
    () =>
      change(
        'kamailio.cfg',
        '#!define SIPTRUST_INSIDE',
        'tcp_accept_haproxy=no\nmodparam("sipcapture", "hep_capture_on", 0)\n#!define SIPTRUST_INSIDE',
      ),
  ],
  ...['', 'modparam("pv_headers", "auto_msg", 1)\n'].map((mode): (typeof faults)[number] => [
    `a module that writes the header block anew behind the gates: ${mode}`,
    () =>
      change('kamailio.cfg', '#!define SIPTRUST_INSIDE', `loadmodule "pv_headers.so"\n${mode}#!define SIPTRUST_INSIDE`),
    /^outage script-append: .*kamailio\.cfg:8: module pv_headers writes all fields anew behind siptrust: what has to be cleaned is not sent$/,
  ]),
  [
    'a module that could, and does not',
    () =>
      change(
        'kamailio.cfg',
        '#!define SIPTRUST_INSIDE',
        'loadmodule "pv_headers.so"\nmodparam("pv_headers", "auto_msg", 0)\n#!define SIPTRUST_INSIDE',
      ),
  ],
  [
    'fields that are written back',
    () => change('kamailio.cfg', '    route(SIPTRUST_OUT);', '    pvh_apply_headers();\n    route(SIPTRUST_OUT);'),
    /^note script-append: .*kamailio\.cfg:16: what pvh_apply_headers\(\) writes back is not sent, if it goes to strangers$/,
  ],
  [
    'a private field that is written through module pv_headers',
    () =>
      change(
        'kamailio.cfg',
        '    t_on_branch("OUT")',
        '    $x_hdr(X-Hint) = "x"; $x_hdr(Subject) == "y";\n    t_on_branch("OUT")',
      ),
    /^note script-append: .*kamailio\.cfg:11: what the script adds X-Hint to is not sent, if it goes to strangers$/,
  ],
  [
    'an identity that the script hides, and siptrustd writes anew',
    () =>
      change(
        'kamailio.cfg',
        '    t_on_branch("OUT")',
        '    uac_replace_from("sip:x@a.example");\n    t_on_branch("OUT")',
      ),
    /^risk script-append: .*kamailio\.cfg:11: where siptrustd writes From or To anew .*, what uac_replace_from\(\) takes out comes back, /,
  ],
  ...['fix_nated_contact', 'set_contact_alias', 'add_contact_alias', 'contact_param_rm'].map(
    (name): (typeof faults)[number] => [
      `a Contact that the script writes over, and siptrustd writes anew: ${name}`,
      () =>
        change(
          'kamailio.cfg',
          /$/,
          `branch_route[B] {\n\troute(C);\n\troute(SIPTRUST_OUT);\n}\nroute[WITHINDLG] {\n\troute(C);\n}\nroute[C] {\n\tif (is_reply())\n\t\tset_contact_alias();\n}\nroute[NATDETECT] {\n\t${name}();\n}\n`,
        ),
      new RegExp(
        `^risk script-append: .*kamailio\\.cfg:31: where siptrustd writes Contact anew .*, what ${name}\\(\\) takes out comes back, `,
      ),
    ],
  ),
  [
    'milliseconds where the include means seconds',
    () =>
      change(
        'kamailio.cfg',
        '#!define SIPTRUST_I',
        'loadmodule "http_client.so"\nmodparam("http_client", "timeout_mode", 2)\n#!define SIPTRUST_I',
      ),
    /^outage script-timeout: .*kamailio\.cfg:9: the one second .* is a millisecond with it: nobody is trusted/,
  ],
  [
    'seconds where the include means milliseconds',
    () => change('kamailio.cfg', /$/, 'modparam("http_client", "timeout_mode", 1)\n'),
    /^risk script-timeout: .*kamailio\.cfg:19: behind the include, the milliseconds .* are seconds with it/,
  ],
  [
    'no time limit',
    () => change('kamailio.cfg', /$/, 'modparam("http_client", "timeout_mode", 0)\n'),
    /^risk script-timeout: .*kamailio\.cfg:19: without a time limit/,
  ],
  ...[
    ...['onsend_route_reply=0', 'onsend_route_reply = no', 'sip_warning=1', 'pv_buffer_size=8192'],
    ...['hdr_name_extra_chars=""', 'modparam("tm", "reparse_invite", 0)', 'modparam("regex", "file", "x")'],
  ].map((line): (typeof faults)[number] => [
    `behind the include: ${line}`,
    () => change('kamailio.cfg', /$/, `${line}\n`),
    /^leak script-behind: .*kamailio\.cfg:19: undoes what the include sets/,
  ]),
  [
    'routes in Python',
    () => change('kamailio.cfg', '#!define SIPTRUST_I', 'cfgengine "python"\n#!define SIPTRUST_I'),
    /^outage script-engine: .*kamailio\.cfg:8: cfgengine "python": no request gets further than the include/,
  ],
  [
    'routes in Lua that say nothing of it, by a define',
    () => change('kamailio.cfg', '#!define SIPTRUST_I', '#!define ENGINE "lua"\ncfgengine ENGINE\n#!define SIPTRUST_I'),
    /^outage script-engine: .*kamailio\.cfg:9: cfgengine "lua" without SIPTRUST_LUA/,
  ],
  [
    'routes in Lua beside native ones, and a gate that Lua stands for',
    () => {
      change('kamailio.cfg', '#!define SIPTRUST_I', '#!define SIPTRUST_LUA\ncfgengine "lua"\n#!define SIPTRUST_I');
      change('kamailio.cfg', /$/, `kemi.onsend_route_callback="x"\nmodparam("app_lua", "load", "${file('k.lua')}")\n`);
      writeFileSync(file('k.lua'), 'function ksr_request_route()\nend\n');
    },
    /^leak script-engine: .*kamailio\.cfg:21: Kamailio asks Lua in place of the include/,
    /^outage script-engine: .*kamailio\.cfg:12: a native request_route beside .*:9: cfgengine "lua"/,
    /^outage script-engine: .*k\.lua does not name siptrust\.lua: the poll does not run/,
  ],
  [
    'From and To that a Route restores',
    () => change('kamailio.cfg', 'loadmodule "tls.so"', 'loadmodule "tls.so"\nloadmodule "uac.so"'),
    /^leak script-restore: .*kamailio\.cfg:8: module uac restores From and To out of the Route /,
  ],
  [
    'a From that is hidden, and told in Record-Route',
    () => {
      const uac = 'loadmodule "uac.so"\nmodparam("uac", "restore_mode", "manual")';
      change('kamailio.cfg', 'loadmodule "tls.so"', `loadmodule "tls.so"\n${uac}`);
      change(
        'kamailio.cfg',
        '    t_on_branch("OUT")',
        '    uac_replace_to("sip:x@a.example");\n    msg_apply_changes();\n    t_on_branch("OUT")',
      );
    },
    /^risk script-restore: .*kamailio\.cfg:13: what is taken out of From or To here, whoever gets the call reads in Record-Route /,
  ],
  [
    'two TCP workers on 5.6',
    () => change('kamailio.cfg', 'tcp_children=1', 'tcp_children=2'),
    /^outage kamailio-version: Kamailio 5\.6\.3 with tcp_children=2/,
  ],
  ...[
    'listen=tls:192.0.2.1:5061 advertise sbc.own.invalid:5061',
    '#!define OUT tls:192.0.2.1:5061 advertise sbc.own.invalid:5061',
    '#!define NAME sbc.own.invalid:5061\nlisten=tls:192.0.2.1:5061 advertise NAME',
    'socket = {\n\tbind = tls:192.0.2.1:5061;\n\tadvertise = "sbc.own.invalid:5061";\n}',
  ].map((line): (typeof faults)[number] => [
    `a name that 5.6 does not find: ${line}`,
    () => change('kamailio.cfg', 'tcp_children=1', `tcp_children=1\n${line}`),
    /^outage script-advertise: .*kamailio\.cfg:\d+: neither DNS nor \/etc\/hosts has the name sbc\.own\.invalid /,
  ]),
  ['no tls.cfg', () => rmSync(file('tls.cfg')), /^outage tls: .*tls\.cfg/],
  [
    'callers are not asked',
    () => change('tls.cfg', 'verify_client = optional_no_ca\n', ''),
    /^outage tls-verify: .*tls\.cfg:2 \[server:default\]: callers are not asked/,
  ],
  [
    'asked, and no ca_list',
    () => change('tls.cfg', /(optional_no_ca[\s\S]*?)ca_list = root.pem\n/, '$1'),
    /^outage tls-verify: .*no ca_list to hold them against/,
  ],
  [
    'a ca_list that is not there',
    () => rmSync(file('root.pem')),
    /^outage policy: /,
    /^outage tls-ca-list: .*no such file/,
  ],
  [
    'a ca_list without certificates',
    () => change('tls.cfg', /ca_list = root.pem/g, 'ca_list = own.key'),
    /^outage tls-ca-list: .*own\.key holds no certificate/,
  ],
  [
    'a partner whose CA stands in the policy alone',
    () => {
      change('tls.cfg', /ca_list = root.pem/g, 'ca_list = other.pem');
      cpSync(pki.path('other.pem'), file('other.pem'));
    },
    /^outage tls-anchors: .*tls\.cfg: no ca_list of a server profile holds CN=root,O=Operator, an anchor of agreement op-b: .* no caller/,
    /^outage tls-anchors: .*tls\.cfg: no ca_list of a client profile holds CN=root,O=Operator, .* no next hop/,
  ],
  [
    'an anchor that is no root, and stands in a ca_list without its root',
    () => {
      change('siptrust.yaml', /\[root.pem\].*\}/, '[below.pem]}');
      change('tls.cfg', /(server[\s\S]*?)ca_list = root.pem/, '$1ca_list = below.pem');
      cpSync(pki.path('below.pem'), file('below.pem'));
    },
    /^outage tls-anchors: .*no ca_list of a server profile holds CN=root,O=Operator, which is above CN=below\S*, an anchor of agreement op-b: /,
  ],
  [
    'a tls.cfg that Kamailio does not read',
    () => change('kamailio.cfg', 'modparam("tls", "config", "tls.cfg")\n', ''),
    /^outage tls: module tls reads no .*tls\.cfg/,
  ],
  [
    'a modparam that says nothing beside a tls.cfg',
    () => change('kamailio.cfg', 'modparam("tls",', 'modparam("tls", "ca_list", "more.pem")\nmodparam("tls",'),
    /^risk tls: .*kamailio\.cfg:18: modparam ca_list of module tls says nothing beside .*tls\.cfg/,
  ],
  [
    'TLS by modparam alone',
    () => change('kamailio.cfg', '"config", "tls.cfg"', '"ca_list", "more.pem"'),
    /^risk tls: .*kamailio\.cfg:18: modparam says what TLS does, and no tls\.cfg: that is not looked at here/,
  ],
  [
    'a modparam that each profile says again',
    () => change('kamailio.cfg', 'modparam("tls",', 'modparam("tls", "tls_method", "TLSv1.2+")\nmodparam("tls",'),
    /^note tls: .*kamailio\.cfg:18: modparam tls_method of module tls says nothing beside .*tls\.cfg/,
  ],
  [
    'a server profile that asks nobody, beside one that does',
    () =>
      change(
        'tls.cfg',
        /^/,
        '[server:10.0.0.1:5061]\nverify_client = none\ncertificate = own.pem\nprivate_key = own.key\n',
      ),
    /^note tls-verify: .*\[server:10\.0\.0\.1:5061\]: callers are not asked for a certificate/,
  ],
  [
    'a siptrustd on another port',
    () => change('siptrust.yaml', /^/, 'daemon: {listen: {http: 127.0.0.1:8061}}\n'),
    /^outage script-daemon: the plugin asks http:\/\/127\.0\.0\.1:7061, and daemon\.listen\.http of .*siptrust\.yaml is port 8061/,
  ],
  [
    'a siptrustd that nobody can ask',
    () => change('siptrust.yaml', /^/, 'daemon: {listen: {http: off}}\n'),
    /^outage script-daemon: .* is off: nobody is trusted/,
  ],
  [
    'a key of another certificate',
    () => change('tls.cfg', /private_key = own.key/g, 'private_key = soon.key'),
    /^outage tls-certificate: .*soon\.key is not the key of own\.pem/,
  ],
  [
    'a certificate that ends soon',
    () => change('tls.cfg', /own\./g, 'soon.'),
    /^risk tls-certificate: .*soon\.pem ends in 4 days/,
  ],
  ['a certificate that is none', () => writeFileSync(file('own.pem'), 'x'), /^outage tls-certificate: .*own\.pem: /],
  [
    'a key that everybody reads',
    () => chmodSync(file('own.key'), 0o644),
    /^leak tls-key-mode: .*own\.key can be read by everybody \(mode 644\)/,
  ],
  ['old TLS versions', () => change('tls.cfg', /TLSv1.2\+/, 'SSLv23'), /^note tls-version: .*SSLv23/],
  [
    'no other than an old TLS version',
    () => change('tls.cfg', /TLSv1.2\+/, 'TLSv1'),
    /^outage tls-version: .*TLSv1 is all/,
  ],
];
describe('versions of Kamailio', () => {
  const workers =
    /^risk kamailio-version: Kamailio \S+ with tcp_children=4: it may crash under parallel TLS handshakes/;
  const groups =
    /^outage kamailio-version: Kamailio \S+: it crashes at the start where module regex reads a file of groups/;
  test.each([
    ['5.5.9', '', /^leak kamailio-version: Kamailio 5\.5\.9: the plugin needs 5\.6/],
    ['5.7.4', '', /^risk kamailio-version: Kamailio 5\.7\.4: with OpenSSL 3 TLS handshakes fail now and then/],
    ['5.7.5', '', workers],
    ['5.8.0', '', groups],
    ['5.8.1', 'tls_threads_mode=2\n', groups],
    ['5.8.8', '', workers],
    ['5.8.8', 'tls_threads_mode=0\n', workers],
  ])('fail/%s with four TCP workers %j', async (kamailio, line, found) => {
    change('kamailio.cfg', 'tcp_children=1\n', `tcp_children=4\n${line}`);
    expect(await looked(daemon(), { kamailio })).toEqual([expect.stringMatching(found)]);
  });
  test.each([
    ['5.7.5', 'tls_threads_mode=2\n'],
    ['5.8.2', 'tls_threads_mode = 1\n'],
    ['6.0.0', ''],
    ['6.2.0', ''],
  ])('ok/%s with four TCP workers %j', async (kamailio, line) => {
    change('kamailio.cfg', 'tcp_children=1\n', `tcp_children=4\n${line}`);
    expect(await looked(daemon(), { kamailio })).toEqual([]);
  });
});
describe('one fault: found once', () => {
  for (const [name, fault, ...found] of faults) {
    test(`fail/${name}`, async () => {
      fault();
      expect(await looked(daemon(), { kamailio: '5.6.3' })).toEqual(found.map((each) => expect.stringMatching(each)));
    });
  }

  const hour = 3_600_000;
  const daemons: readonly (readonly [name: string, ask: ReturnType<typeof daemon>, found: RegExp])[] = [
    [
      'nobody answers',
      () => Promise.reject(new Error('/run/x.sock: expected a running siptrustd')),
      /^outage daemon: \/run\/x\.sock/,
    ],
    ['another version', daemon({ version: '0.0.9' }), /^note daemon-version: siptrustd is 0\.0\.9/],
    [
      'the policy was changed since',
      daemon({ loadedAt: Date.now() - hour }),
      /^risk policy-in-force: .*after siptrustd read it/,
    ],
    [
      'the last policy was not good',
      daemon({ problems: ['siptrust.yaml:1:1: error: x'] }),
      /^risk policy-in-force: siptrustd keeps an older policy/,
    ],
    [
      'a setting waits for a start',
      daemon({
        warnings: ['siptrust.yaml:1:1: warning: x', 'daemon.log.audit: takes effect when siptrustd is started again'],
      }),
      /^note policy-in-force: daemon\.log\.audit: takes effect/,
    ],
    ['another clock', daemon({ now: Date.now() + hour }), /^outage clock: siptrustd has/],
  ];
  test.each(daemons)('fail/daemon: %s', async (_, ask, found) => {
    expect(await looked(ask, { kamailio: undefined })).toEqual([expect.stringMatching(found)]);
  });
  test('fail/an old Kamailio, an old Node.js', async () => {
    expect(await looked(daemon(), { kamailio: '5.4.2', node: '18.20.1' })).toEqual([
      expect.stringMatching(/^risk node: Node\.js 18\.20\.1/),
      expect.stringMatching(/^leak kamailio-version: Kamailio 5\.4\.2/),
    ]);
  });
});

describe('the command', () => {
  const args = () => [
    '--socket',
    file('none.sock'),
    'doctor',
    '--config',
    file('siptrust.yaml'),
    '--kamailio-cfg',
    file('kamailio.cfg'),
    '--tls-cfg',
    file('tls.cfg'),
    '--plugin',
    file('siptrust'),
  ];
  test('fail/problems in order of harm, each with a next step; exit code 2', async () => {
    chmodSync(file('own.key'), 0o644);
    change('tls.cfg', /TLSv1.2\+/, 'SSLv23');
    const { code, output } = await siptrustctl(args());
    expect(code).toBe(2);
    expect(output).toMatch(
      /^leak: .*\n {2}tls-key-mode: .*\n {4}next: chmod o= .*\noutage: .*\n {2}daemon: .*does siptrustd run.*\n {4}next: systemctl start siptrustd[\s\S]*\nnote: /i,
    );
    expect(output.match(/ {4}next: ./g)?.length).toBe(3);
    expect(output).toMatch(/\d+ checks, 3 findings\n$/);
    change('tls.cfg', /SSLv23/, 'TLSv1.2+');
    chmodSync(file('own.key'), 0o600);
    expect((await siptrustctl(args())).output).toMatch(/\d+ checks, 1 finding\n$/);
  });
  test('ok/the plugin and tls.cfg are looked at where the script has them', async () => {
    const { output } = await siptrustctl(args().slice(0, -2));
    expect(output).not.toMatch(/plugin/);
    rmSync(file('siptrust/siptrust-in.cfg'));
    change('tls.cfg', /verify_client.*\n/, '');
    const missing = (await siptrustctl(args().slice(0, -4))).output;
    expect(missing).toContain(`plugin: ${file('siptrust')}: siptrust-in.cfg missing`);
    expect(missing).toContain(`${file('tls.cfg')}:2 [server:default]: callers are not asked`);
  });
  test('ok/a registrar behind an edge, one whose users come from anywhere, and an S-CSCF', async () => {
    const save = (before: string) =>
      change('kamailio.cfg', 't_on_branch(', `${before}save("location");\n    t_on_branch(`);
    save('');
    expect(await looked(daemon(), { kamailio: '5.6.3' })).toEqual([]);
    save('ims_www_authenticate("a");');
    expect(await looked(daemon(), { kamailio: '5.6.3' })).toEqual([]);
    save('if (!www_authorize("a", "subscriber")) exit;\n');
    change('kamailio.cfg', 'include_file "siptrust/', '#!define SIPTRUST_REGISTRAR\ninclude_file "siptrust/');
    expect(await looked(daemon(), { kamailio: '5.6.3' })).toEqual([]);
  });
  test('ok/--json', async () => {
    const { output } = await siptrustctl(['--json', ...args()]);
    expect(JSON.parse(output)).toMatchObject({
      checks: CHECKS.length,
      findings: [{ check: 'daemon', harm: 'outage', next: expect.any(String) }],
    });
  });
  test('ok/docs/moving-in.md lists the checks', () => {
    const docs = readFileSync(join(import.meta.dirname, '../../../../docs/moving-in.md'), 'utf8');
    for (const { name, asks } of CHECKS) expect(docs).toContain(`| \`${name}\` | ${asks} |`);
  });
});

describe('reading', () => {
  test('ok/defines, comments, braces in texts', () => {
    const lines = scriptLines('f', SCRIPT);
    expect(defined(lines, 'SIPTRUST_INSIDE_NETS')).toMatchObject({ at: { line: 8 }, value: '"10.0.0.0/8"' });
    expect(branchRoutes(lines).map(({ name, at }) => [name, at.line])).toEqual([['OUT', 14]]);
    expect(lines.filter(({ text }) => text.includes('not the last'))).toEqual([]);
  });
  test('ok/conditions: what a define says, nested, and else', () => {
    const text =
      '#!define A\n#!ifdef A\na\n#!ifndef A\nb\n#!else\nc\n#!endif\n#!else\nd\n#!endif\n#!ifdef B\n#!define C\n#!endif\n#!ifdef C\ne\n#!endif\nf';
    expect(activeLines(scriptLines('f', text)).map((line) => line.text)).toEqual(['#!define A', 'a', 'c', 'f']);
  });
  // (Each seen on 5.6.3, 6.0.1 and 6.1.5, but defexp, which 5.6 has not. undef takes nothing back.)
  test.each([
    ['!!define A', '!!ifdef A'],
    ['#!def A', '#!ifdef A'],
    ['#!trydefine A', '#!ifdef A'],
    ['#!redef A', '#!ifdef A'],
    ['#!substdef "!A!x!g"', '#!ifdef A'],
    ['#!substdefs "/A/x/"', '#!ifdef A'],
    ['#!defexp A 1', '#!ifdef A'],
    ['#!defenv A', '#!ifdef A'],
    ['#!defenvs A=HOME', '#!ifdef A'],
    ['#!define A\n#!undef A', '#!ifdef A'],
    ['loadmodule "tls.so"', '#!ifdef MOD_tls'],
    ['loadmodulex "/usr/lib/kamailio/modules/tls"', '#!ifdef MOD_tls'],
    ['loadmodule("tls.so")', '#!ifdef MOD_tls'],
    ['', '#!ifdef KAMAILIO_6'],
    ['', '#!ifdef KAMAILIO_6_0_1'],
  ])('ok/what is defined by %s', (line, condition) => {
    const lines = activeLines(scriptLines('f', `${line}\n${condition}\nyes\n#!else\nno\n#!endif`), '6.0.1');
    expect(lines.map(({ text }) => text).filter((text) => /^(?:yes|no)$/.test(text))).toEqual(['yes']);
  });
  test('ok/what ifexp asks is not known: both ways are read, and what is around it stays as it is', () => {
    const text = '#!ifdef A\n#!ifexp X != ""\na\n#!endif\nb\n#!else\n#!ifexp Y\nc\n#!else\nd\n#!endif\n#!endif';
    expect(activeLines(scriptLines('f', text)).map((line) => line.text)).toEqual(['c', 'd']);
  });
  test('ok/includes are read in their places', async () => {
    writeFileSync(file('more.cfg'), readFileSync(file('kamailio.cfg')));
    writeFileSync(file('kamailio.cfg'), 'include_file "more.cfg"\n');
    expect(await looked(daemon(), { kamailio: '5.6.3' })).toEqual([]);
  });
  test('ok/profiles', () => {
    expect(tlsProfiles('x=1\n[server:192.0.2.1:5061]\nca_list="a.pem"\n#[client:any]\n')).toEqual([
      { role: 'server', name: '192.0.2.1:5061', line: 2, keys: { ca_list: 'a.pem' } },
    ]);
  });
  test('ok/the plugin of this version is found', async () => {
    const { shipped } = await readSite(options(), daemon());
    expect([...shipped.keys()].sort()).toEqual(readdirSync(PLUGIN).sort());
  });
});
