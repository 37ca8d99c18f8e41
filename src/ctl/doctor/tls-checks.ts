/** Checks of tls.cfg: what peers are asked for, and whether our own certificate stands. */

import { createPrivateKey, X509Certificate } from 'node:crypto';
import { dirname, isAbsolute, join } from 'node:path';
import { CertificateCache } from '../../state/verdicts/index.js';
import { type CertificateFacts, certificateName } from '../../x509/certificate/index.js';
import { certificatesIn } from '../certificates/index.js';
import { type Check, type Finding, finding } from './finding.js';
import { findLine, TLS_MODULE, tlsSetup } from './kamailio-script.js';
import type { Site } from './site.js';
import { isOn, type TlsProfile } from './tls-profiles.js';

const DAY = 86_400_000;
const SOON_DAYS = 30;

export const tlsChecks: readonly Check[] = [
  {
    name: 'tls',
    asks: 'tls.cfg can be read, and is all that module tls goes by',
    look: settings,
  },
  {
    name: 'tls-verify',
    asks: 'profiles ask peers for their certificates, and hold them against a ca_list',
    look: perProfile(verify),
  },
  {
    name: 'tls-version',
    asks: 'profiles speak TLS 1.2 and later',
    look: perProfile(version),
  },
  { name: 'tls-ca-list', asks: 'ca_list files can be read and hold certificates', look: perProfile(caList) },
  { name: 'tls-anchors', asks: 'a ca_list holds the root of each anchor that an agreement names', look: anchors },
  { name: 'tls-certificate', asks: 'certificate and key belong together and are valid', look: perProfile(certificate) },
  { name: 'tls-key-mode', asks: 'private keys are read by their owner and group alone', look: perProfile(keyMode) },
];

/** What a profile does not say is the module's own default: with `config` it takes nothing of its other parameters. */
function settings({ script, tls, options: { tlsCfg } }: Site): readonly Finding[] {
  const lines = 'value' in script ? script.value : [];
  const { named, parameters } = tlsSetup(lines);
  const [first] = parameters;
  if (!named && first !== undefined) {
    const found = `${first.at.file}:${first.at.line}: modparam says what TLS does, and no tls.cfg: that is not looked at here`;
    return [finding('risk', found, `the same in ${tlsCfg}, and modparam("tls", "config", "${tlsCfg}") in place of it`)];
  }
  if (!('value' in tls)) {
    const next = 'name it by --tls-cfg FILE, or write it (kamailio-cfg/cscf-tls.cfg is a sample)';
    return [finding('outage', tls.missing, next)];
  }
  if (findLine(lines, TLS_MODULE) === undefined) return [];
  if (!named) {
    const found = `module tls reads no ${tlsCfg}: kamailio.cfg does not name it`;
    return [finding('outage', found, `modparam("tls", "config", "${tlsCfg}")`)];
  }
  return parameters.map(({ at, name, value }) => {
    const found = `${at.file}:${at.line}: modparam ${name} of module tls says nothing beside ${tlsCfg}`;
    const key = name === 'tls_method' ? 'method' : name;
    const said = tls.value.every(({ keys }) => keys[key] === value);
    return finding(said ? 'note' : 'risk', found, `take it out, and say it in each profile of ${tlsCfg} that needs it`);
  });
}

function perProfile(look: (profile: TlsProfile, where: string, site: Site) => readonly Finding[]): Check['look'] {
  return (site) => {
    if (!('value' in site.tls)) return [];
    const told = new Set<string>();
    const all = site.tls.value.flatMap((profile) =>
      look(profile, `${site.options.tlsCfg}:${profile.line} [${profile.role}:${profile.name}]`, site),
    );
    // Profiles share files: the same fault is told once.
    return all.filter(({ found }) => {
      const what = found.replace(/^\S+ \[[^\]]*\]: /, '');
      return !told.has(what) && told.add(what);
    });
  };
}

const asksPeers = ({ keys }: TlsProfile) =>
  isOn(keys.verify_certificate) || /^(?:optional|on|require)/i.test(keys.verify_client ?? '');

function verify(profile: TlsProfile, where: string, { tls }: Site): readonly Finding[] {
  const { role, keys } = profile;
  const asks = asksPeers(profile);
  if (role === 'server' && !asks) {
    // Another profile may be that of phones.
    const others = 'value' in tls && tls.value.some((other) => other.role === role && asksPeers(other));
    return [
      finding(
        others ? 'note' : 'outage',
        `${where}: callers are not asked for a certificate: none of them can be trusted`,
        'verify_client = optional_no_ca, or verify_certificate = yes',
      ),
    ];
  }
  if (role === 'client' && !asks && keys.ca_list === undefined) {
    return [
      finding(
        'outage',
        `${where}: the certificates of those that we call are held against nothing (no ca_list)`,
        'verify_certificate = yes and a ca_list, or agreements with stack_verification: advisory',
      ),
    ];
  }
  if (asks && keys.ca_list === undefined && keys.ca_path === undefined) {
    return [
      finding(
        'outage',
        `${where}: certificates are asked for, and there is no ca_list to hold them against`,
        'ca_list = a file with the CAs of all partners',
      ),
    ];
  }
  return [];
}

/** What Kamailio's `method` stands for: one version without `+`, all that OpenSSL has by SSLv23. */
function version({ keys }: TlsProfile, where: string): readonly Finding[] {
  const method = keys.method ?? keys.tls_method ?? '';
  const next = 'method = TLSv1.2+';
  if (/^(?:SSLv2|SSLv3|TLSv1|TLSv1\.1)$/i.test(method)) {
    return [finding('outage', `${where}: ${method} is all that is spoken, and siptrust trusts none of it`, next)];
  }
  return /^(?:SSLv23|TLSv1\+|TLSv1\.1\+)$/i.test(method)
    ? [finding('note', `${where}: ${method} offers versions that siptrust does not trust`, next)]
    : [];
}

/** Paths are relative to tls.cfg. */
function pathOf(site: Site, text: string): string {
  return isAbsolute(text) ? text : join(dirname(site.options.tlsCfg), text);
}

function caList({ keys }: TlsProfile, where: string, site: Site): readonly Finding[] {
  if (keys.ca_list === undefined) return [];
  const read = site.text(pathOf(site, keys.ca_list));
  if (!('value' in read))
    return [
      finding(
        'outage',
        `${where}: ca_list: ${read.missing}`,
        'Kamailio does not start without it: put the CAs of all partners there',
      ),
    ];
  if (read.value.includes('-----BEGIN CERTIFICATE-----')) return [];
  return [
    finding('outage', `${where}: ${keys.ca_list} holds no certificate`, 'put the CAs of all partners there, PEM'),
  ];
}

const SIDES = [
  { profiles: 'server', direction: 'in', anchor: 'client', who: 'the TLS of the proxy verifies no caller under it' },
  { profiles: 'client', direction: 'out', anchor: 'server', who: 'the TLS of the proxy verifies no next hop under it' },
] as const;

/** Anchors whose roots stand in no ca_list: where the proxy has to verify, nobody is trusted under them. */
function anchors(site: Site): readonly Finding[] {
  const { tls, policy, options } = site;
  if (!('value' in tls) || !policy.ok) return [];
  return SIDES.flatMap(({ profiles, direction, anchor, who }) => {
    const own = tls.value.filter(({ role }) => role === profiles);
    const lists = own.flatMap(({ keys }) => (keys.ca_list === undefined ? [] : [pathOf(site, keys.ca_list)]));
    if (lists.length === 0 || own.some(({ keys }) => keys.ca_path !== undefined)) return [];
    const read = [...new Set(lists)].map((list) => authoritiesAt(site, list));
    // What OpenSSL makes of a file that is not read here, nobody knows.
    if (!read.every((one) => one !== undefined)) return [];
    const held = read.map(byName);
    const missing = new Map<string, string>();
    for (const { name, anchors: all, directions, stackVerification, enabled, valid } of policy.snapshot.agreements) {
      if (!enabled || site.now > valid.until || stackVerification !== 'required' || !directions.includes(direction))
        continue;
      for (const facts of all[anchor]) {
        const inEach = held.map((list) => lackingFor(facts, list));
        const lacking = inEach.includes(undefined) ? undefined : inEach[0];
        const role =
          lacking === certificateName(facts) ? 'an anchor' : `which is above ${certificateName(facts)}, an anchor`;
        if (lacking !== undefined) missing.set(facts.sha256, `${lacking}, ${role} of agreement ${name}`);
      }
    }
    const [first, ...more] = missing.values();
    if (first === undefined) return [];
    const rest = more.length === 0 ? '' : ` (and ${more.length} more)`;
    const found = `${options.tlsCfg}: no ca_list of a ${profiles} profile holds ${first}${rest}: ${who}`;
    return [finding('outage', found, `append it to ${lists[0]}, then ${readAgain(site)}`)];
  });
}

/** 5.6 with OpenSSL 3 breaks connections, or keeps the old certificates (docs/soak.md). */
function readAgain({ kamailio }: Site): string {
  return kamailio?.startsWith('5.6.') ? 'kamcmd tls.reload, under load a restart of Kamailio' : 'kamcmd tls.reload';
}

const rootsLast = (a: CertificateFacts, b: CertificateFacts) => Number(a.selfIssued) - Number(b.selfIssued);

/** Of a CA that stands there as a root and as certified by another, the root is what OpenSSL ends at: the later one stays. */
function byName(authorities: readonly CertificateFacts[]): ReadonlyMap<string, CertificateFacts> {
  return new Map([...authorities].sort(rootsLast).map((facts) => [nameOf(facts), facts]));
}

/** The name of the CA at which the way from an anchor ends without a root of a ca_list; undefined where it may lead to one. */
function lackingFor(anchor: CertificateFacts, held: ReadonlyMap<string, CertificateFacts>): string | undefined {
  let at = held.get(nameOf(anchor)) ?? anchor;
  for (let steps = 0; steps <= held.size; steps++) {
    if (at.selfIssued) return held.has(nameOf(at)) ? undefined : certificateName(at);
    const above = held.get(at.issuerKeys.text);
    // A peer may send what is missing between there and a root.
    if (above === undefined) return [...held.values()].some(({ selfIssued }) => selfIssued) ? undefined : at.issuerText;
    at = above;
  }
  return at.issuerText;
}

/** The CAs in a ca_list; undefined where there is something else in it. */
function authoritiesAt(site: Site, path: string): readonly CertificateFacts[] | undefined {
  const read = site.text(path);
  if (!('value' in read)) return undefined;
  const cache = new CertificateCache({ entries: 1, octets: 0, idleMs: 0 }, { hits: 0, misses: 0 });
  try {
    return certificatesIn(path, Buffer.from(read.value, 'latin1'), cache);
  } catch {
    return undefined;
  }
}

const nameOf = ({ subjectKeys }: CertificateFacts) => subjectKeys.text;

function certificate({ keys }: TlsProfile, where: string, site: Site): readonly Finding[] {
  if (keys.certificate === undefined) return [];
  const read = site.text(pathOf(site, keys.certificate));
  if (!('value' in read))
    return [finding('outage', `${where}: certificate: ${read.missing}`, 'siptrustctl cert enrol, or cert install')];
  let own: X509Certificate;
  try {
    own = new X509Certificate(read.value);
  } catch (error) {
    return [
      finding(
        'outage',
        `${where}: ${keys.certificate}: ${error instanceof Error ? error.message : String(error)}`,
        'siptrustctl cert show says more',
      ),
    ];
  }
  return [...validity(own, where, keys.certificate, site.now), ...pair(own, keys, where, site)];
}

function validity(own: X509Certificate, where: string, file: string, now: number): readonly Finding[] {
  const until = Date.parse(own.validTo);
  const days = Math.floor((until - now) / DAY);
  const next = 'siptrustctl cert renew, or cert request and cert install';
  if (Date.parse(own.validFrom) > now)
    return [finding('outage', `${where}: ${file} is not valid before ${own.validFrom}`, 'is the clock right?')];
  if (until < now) return [finding('outage', `${where}: ${file} ended ${own.validTo}`, next)];
  return days >= SOON_DAYS ? [] : [finding('risk', `${where}: ${file} ends in ${days} days, ${own.validTo}`, next)];
}

function pair(own: X509Certificate, keys: TlsProfile['keys'], where: string, site: Site): readonly Finding[] {
  if (keys.private_key === undefined) return [];
  const read = site.text(pathOf(site, keys.private_key));
  if (!('value' in read))
    return [
      finding(
        'outage',
        `${where}: private_key: ${read.missing}`,
        'run doctor as a user that may read it, or put it there',
      ),
    ];
  try {
    if (own.checkPrivateKey(createPrivateKey(read.value))) return [];
  } catch (error) {
    return [
      finding(
        'outage',
        `${where}: ${keys.private_key}: ${error instanceof Error ? error.message : String(error)}`,
        'expected a private key in PEM',
      ),
    ];
  }
  return [
    finding(
      'outage',
      `${where}: ${keys.private_key} is not the key of ${keys.certificate}: no handshake succeeds`,
      'put the pair back (cert install keeps the old one as .old)',
    ),
  ];
}

function keyMode({ keys }: TlsProfile, where: string, site: Site): readonly Finding[] {
  if (keys.private_key === undefined) return [];
  const path = pathOf(site, keys.private_key);
  const mode = (site.stat(path)?.mode ?? 0) & 0o777;
  if ((mode & 0o007) === 0) return [];
  return [
    finding(
      'leak',
      `${where}: ${keys.private_key} can be read by everybody (mode ${mode.toString(8)})`,
      `chmod o= ${path}`,
    ),
  ];
}
