/**
 * Every key of `daemon:` and `defaults:`, one row each: what may stand there, what holds where nothing does, what it is for.
 * The reader, the settings of siptrustd (by the names in front) and the tables of docs/policy.md are made of the rows
 * (`npx vitest run test/unit/policy/docs.test.ts -u`).
 */

import { EKU, PRIVACY, REVOCATION } from '../agreement/index.js';
import {
  choice,
  count,
  entries,
  type Kind,
  kind,
  listener,
  milliseconds,
  mode,
  NAME_VALUES,
  name,
  octets,
  onOff,
  optional,
  path,
  pathOr,
  seconds,
  yesNo,
} from '../kinds/index.js';
import { FILE_LIMITS, someWords, word } from '../reading/index.js';
import type { PolicyKey } from '../revision/index.js';
import { clients, hostNames, tlsFiles } from './access-settings.js';
import { resolvers } from './dns-settings.js';
import { group, setting, type ValuesOf } from './key.js';
import { fetchAddresses, fetchHosts } from './revocation-settings.js';
import { METRICS_ACCESS, ROLES } from './role.js';
import { storeUrl } from './store-settings.js';

const policyKeys: Kind<readonly PolicyKey[], ReturnType<typeof someWords>> = {
  shape: someWords('the path of a public key file'),
  values: 'list of files',
  read: (given, site, material) => material.policyKeys(given, site),
  said: () => 'none',
};

const groupName = kind<string | undefined, ReturnType<typeof word>>({
  shape: word('the name of a group'),
  values: 'name of a group',
  read: (given) => given,
  said: () => 'that of the daemon',
});

/** What `daemon.limits` may be raised to. */
export const MOST_OF_POLICY = {
  files: 250_000,
  file: 268_435_456,
  agreements: 1_000_000,
  prefixes: 10_000_000,
} as const;

/** Of `daemon:`. What takes effect when siptrustd is started again, but for what the text says of a reload. */
export const DAEMON_KEYS = {
  listen: group('listen', 'At least one listener must be on.', {
    netstring: setting(
      'netstring',
      listener,
      { address: '127.0.0.1', port: 7060 },
      "JSON-RPC in netstrings over TCP, as Kamailio's janssonrpcc speaks it. The plugins do not use it.",
    ),
    http: setting(
      'http',
      listener,
      { address: '127.0.0.1', port: 7061 },
      '`POST /rpc` (what the plugins ask), `GET /health`, `GET /ready`, `GET /metrics`, `GET /decisions`, `GET /ui`. Loopback alone, as `netstring`.',
    ),
    https: setting(
      'https',
      listener,
      undefined,
      'The same by TLS, for other hosts too ([operating.md](operating.md#other-hosts)). Needs `tls`.',
    ),
    unix: setting(
      'unix',
      pathOr('off'),
      '/run/siptrust/siptrust.sock',
      'Where siptrustctl asks; who may open it is an operator ([rpc.md](rpc.md#roles)).',
    ),
    viewer: setting(
      'viewer',
      pathOr('off'),
      undefined,
      'A second socket, for those who may look and change nothing: `siptrustctl --socket PATH`.',
    ),
    fifo: setting('fifo', pathOr('off'), undefined, 'Where `kamctl rpc` asks; who may write to it is an operator.'),
    fifoReplyDir: setting('fifo_reply_dir', path, '/tmp', 'Where kamctl makes its reply FIFOs.'),
  }),
  allowRemote: setting(
    'allow_remote',
    yesNo,
    false,
    'Allow `listen.https` to be another address than loopback. Needs `tls`, and credentials in `access`.',
  ),
  tls: setting('tls', tlsFiles, undefined, 'Identity of the HTTPS listener; read again when the files change.', {
    inner: {
      '.certificate': { values: 'path', otherwise: 'required', text: 'Certificate and chain, PEM.' },
      '.key': { values: 'path', otherwise: 'required', text: 'Its private key, PEM.' },
    },
  }),
  access: group('access', 'Who may ask over HTTP: see [operating.md](operating.md#roles).', {
    hosts: setting(
      'hosts',
      hostNames,
      [],
      'Names by which HTTP clients may call this host, besides addresses and `localhost`.',
    ),
    certificates: setting(
      'certificates',
      clients,
      [],
      'Clients that TLS with their own certificate lets in. A reload puts a change of this list in force.',
      {
        inner: {
          '[].name': { values: NAME_VALUES, otherwise: 'required', text: 'Stands in logs.' },
          '[].role': { values: choice(...ROLES).values, otherwise: 'required', text: 'What the client may ask.' },
          '[].files': {
            values: 'list of files',
            otherwise: 'required',
            text: 'Its certificates, one at least: the old and the new one while they are exchanged.',
          },
        },
      },
    ),
    tokens: setting(
      'tokens',
      pathOr('off'),
      undefined,
      'File of the bearer tokens that `siptrustctl token add` makes. Under systemd `/var/lib/siptrust/tokens.json`.',
    ),
    metrics: setting(
      'metrics',
      choice(...METRICS_ACCESS),
      'open',
      "Who gets `GET /metrics` ([metrics.md](metrics.md)): programs of this machine, who shows a viewer's credential, nobody.",
    ),
    connections: setting(
      'connections',
      count(8, 60_000, 'connections'),
      1024,
      'Most connections of each listener; one more takes the place of an idle one.',
    ),
    connectionsPerSource: setting(
      'connections_per_source',
      count(8, 60_000, 'connections'),
      512,
      'The same for one address; at most `connections`.',
    ),
  }),
  watch: setting('watch', onOff, false, 'Read the policy again when its files change: see [Reload](#reload).'),
  ui: setting(
    'ui',
    onOff,
    false,
    "The operators' page at `/ui` of the HTTP and HTTPS listeners ([ui.md](ui.md)). `on` without credentials is an error: everything on it is a viewer's.",
    { otherwise: '`on` where `access` has credentials, else `off`' },
  ),
  fleet: group('fleet', 'What this node has to do with the policy of its fleet.', {
    name: setting(
      'name',
      name('the fleet'),
      'siptrust',
      'Stands in what is signed: a revision of one fleet is none of another.',
    ),
    policy: setting(
      'policy',
      onOff,
      false,
      'The policy comes from `daemon.store`, and of this file only `daemon:` counts ([fleet.md](fleet.md)).',
    ),
    directory: setting(
      'directory',
      path,
      '/var/lib/siptrust/policy',
      'Where the last good revision is kept, for a start while the store is away.',
    ),
  }),
  limits: group(
    'limits',
    'What a policy may have at most: what goes beyond is an error, and not read any further. A reload puts a change in force.',
    {
      files: setting(
        'files',
        count(1, MOST_OF_POLICY.files, 'files'),
        100_000,
        'Policy files, the main one among them.',
      ),
      file: setting(
        'file',
        octets(1024, MOST_OF_POLICY.file),
        FILE_LIMITS.policy,
        `Largest policy file that is included, or of a revision of a fleet. The main file, which says this, may have ${FILE_LIMITS.policy}.`,
      ),
      agreements: setting(
        'agreements',
        count(1, MOST_OF_POLICY.agreements, 'agreements'),
        100_000,
        'Agreements of all files.',
      ),
      prefixes: setting(
        'prefixes',
        count(1, MOST_OF_POLICY.prefixes, 'prefixes'),
        2_000_000,
        'Prefixes in `sources` of all agreements together.',
      ),
    },
  ),
  policyKeys: setting(
    'policy_keys',
    policyKeys,
    [],
    'Public Ed25519 keys (PEM). With one or more, only revisions are taken that one of them signed. A reload puts a change of this list in force for the next revision.',
  ),
  unixMode: setting('unix_mode', mode, 0o660, 'Permissions of unix socket and FIFO.'),
  viewerMode: setting('viewer_mode', mode, 0o660, "Permissions of the viewers' socket."),
  viewerGroup: setting(
    'viewer_group',
    groupName,
    undefined,
    "Group of the viewers' socket. The daemon must be a member of it.",
  ),
  log: group('log', 'What is written, and where.', {
    level: setting(
      'level',
      choice('error', 'warn', 'info', 'debug'),
      'info',
      "The least of the operators' log; `siptrustctl log level` sets it for as long as siptrustd runs.",
    ),
    file: setting(
      'file',
      pathOr('stderr'),
      undefined,
      "The operators' log. After a file was moved away, SIGUSR1 opens a new one (logrotate: `postrotate systemctl kill -s USR1 siptrustd`).",
    ),
    decisions: setting(
      'decisions',
      pathOr('off'),
      undefined,
      "The decision log: one JSON line for each answer; opened again as `file` is. Lines that the disk does not take are counted (`decisions.lost`) and told in the operators' log.",
    ),
    audit: setting(
      'audit',
      pathOr('off'),
      undefined,
      'The audit log: one JSON line for each change by an operator ([operating.md](operating.md#the-audit-log)).',
    ),
    mask: setting('mask', yesNo, true, 'Hide the user parts of identities in logs.'),
  }),
  cache: group('cache', 'What is known of those who asked.', {
    certificates: setting('certificates', entries, 10_000, 'Certificates kept parsed.'),
    verdicts: setting('verdicts', entries, 100_000, 'Verdicts kept.'),
    ttl: setting('ttl', seconds(1, 86_400), 300, 'How long verdicts are kept.'),
    memory: setting(
      'memory',
      octets(1_048_576, 1_099_511_627_776),
      134_217_728,
      'Memory for what is known of certificates (half of it), verdicts (a quarter), connections and questions, about. Half of the room of certificates and connections is kept for trusted peers, so that strangers push out strangers alone; both go after two hours without a question.',
    ),
  }),
  dns: group(
    'dns',
    'How next hops are found: see [dns.md](dns.md). Nobody is asked before a script asks `hop.resolve` or `hop.list`.',
    {
      resolve: setting('resolve', onOff, true, '`off`: only addresses and `targets` are known.'),
      servers: setting(
        'servers',
        resolvers,
        [],
        'Resolvers in the order to ask. They must resolve for us (recursion).',
      ),
      timeout: setting('timeout', seconds(1, 30), 2, 'Time that one server has for one answer.'),
      attempts: setting('attempts', count(1, 5), 2, 'Times that all servers are asked.'),
      cache: setting('cache', entries, 10_000, 'Answers kept.'),
      strangers: setting(
        'strangers',
        choice('any', 'public'),
        'any',
        'Which addresses a next hop may have that no agreement in force stands for. `public`: a name or a Request-URI that leads to a private, loopback, link-local, multicast or other special address (RFC 6890) is answered 403, one such address among several too, and so is what cannot be told: a host that another reader may read otherwise (403), a name without an answer (503).',
      ),
      addresses: setting(
        'addresses',
        fetchAddresses,
        [],
        'With `strangers: public`: special addresses that are next hops all the same, as those of our own side (`SIPTRUST_INSIDE_NETS`) and the prefix of a NAT64.',
      ),
      trustAd: setting(
        'trust_ad',
        yesNo,
        false,
        'Believe these servers when they say that an answer is DNSSEC-validated (RFC 4035 §4.9.3). They must be named in `servers`, and nobody may write on the way to them.',
      ),
    },
  ),
  node: setting('node', optional(name('this node')), undefined, 'Name of this node among those of the fleet.', {
    otherwise: 'that of the host',
  }),
  store: setting(
    'store',
    storeUrl,
    undefined,
    'The database of a fleet (see [fleet.md](fleet.md)): `postgres://user@host:port/database`, with the parameters `sslmode` (`verify-full`; `disable` for a database on this machine alone), `sslrootcert`, `sslcert`, `sslkey`, `connect_timeout` (1 to 60 s) and `target_session_attrs=read-write`. Hosts may be several, by commas: the one that takes writes is asked. Needs `daemon.state.file`, which keeps what the store said last.',
  ),
  storePasswordFile: setting(
    'store_password_file',
    optional(path),
    undefined,
    'Its first line is the password. Mode 0600.',
  ),
  storeTimeout: setting(
    'store_timeout',
    milliseconds(100, 60_000),
    2000,
    'A database that says nothing for so long is away. No verdict waits for it.',
  ),
  state: group('state', 'What is kept over restarts.', {
    file: setting(
      'file',
      pathOr('off'),
      undefined,
      'SQLite database of the pins that were observed and approved (see [pins.md](pins.md)), and of partners that were seen to offer TLS in DNS ([dns.md](dns.md)). Under systemd `/var/lib/siptrust/state.db`.',
    ),
    pins: setting('pins', count(1, 100_000, 'pins'), 10_000, 'Most pins that are kept.'),
    certificates: setting(
      'certificates',
      octets(0, 4_294_967_296),
      67_108_864,
      'Room for the certificates that answers were about, so that `siptrustctl replay` can ask again what the decision log tells ([trying.md](trying.md)). Those that name no partner make room first. `0`: none are kept. Needs `daemon.log.decisions`.',
    ),
    certificateAge: setting(
      'certificate_age',
      seconds(3600, 315_360_000),
      7_776_000,
      'A certificate that was not seen for so long is forgotten.',
    ),
  }),
  revocation: group(
    'revocation',
    'CRLs and OCSP statuses beyond the files of agreements: see [revocation.md](revocation.md).',
    {
      fetch: setting('fetch', onOff, false, 'Whether CRLs and OCSP statuses are fetched from where certificates say.'),
      hosts: setting(
        'hosts',
        fetchHosts,
        [],
        'Where they may be fetched. Whole names; without a port it is 80. Nothing else is ever asked, whatever a certificate or a redirection says.',
      ),
      addresses: setting(
        'addresses',
        fetchAddresses,
        [],
        'Private, loopback and other special addresses that a listed name may stand for.',
      ),
      directory: setting(
        'directory',
        pathOr('off'),
        '/var/lib/siptrust/revocation',
        'Where fetched CRLs are kept over restarts.',
      ),
      interval: setting(
        'interval',
        seconds(1, 604_800),
        3600,
        'After this time a CRL or a status is asked for again; sooner when it is about to run out.',
      ),
      timeout: setting('timeout', seconds(1, 600), 30, 'Longest time for one fetch.'),
      maxSize: setting('max_size', octets(1024, 67_108_864), 33_554_432, 'Largest CRL.'),
      warn: setting(
        'warn',
        seconds(0, 2_592_000),
        86_400,
        'This long before a CRL runs out without a newer one, the operator log says so (or in the last quarter of its life, where that is later).',
      ),
    },
  ),
};

/** Of `defaults:`: what agreements get that say nothing of it, and times that hold for all of them. */
export const DEFAULTS_KEYS = {
  privacy: setting(
    'privacy',
    PRIVACY,
    'strict33203',
    'Privacy mode of agreements, and towards peers that no agreement covers.',
  ),
  revocation: setting('revocation', REVOCATION, 'soft', 'As in an agreement.'),
  eku: setting('eku', EKU, 'tls', 'As in an agreement.'),
  crlGrace: setting(
    'crl_grace',
    seconds(0, 86_400),
    0,
    'How long the last CRL still counts past its nextUpdate; answers then bear the reason `crl-grace`.',
  ),
  ocspMaxAge: setting(
    'ocsp_max_age',
    seconds(60, 2_592_000),
    86_400,
    'An OCSP response whose thisUpdate is older does not count.',
  ),
  ocspNonce: setting(
    'ocsp_nonce',
    choice('optional', 'required'),
    'optional',
    '`required`: an OCSP response that does not bear the nonce of the question does not count.',
  ),
  skew: setting('skew', seconds(0, 3600), 300, 'Tolerance on the times of certificates.'),
  ttl: setting(
    'ttl',
    seconds(1, 86_400),
    300,
    'Longest time for which a script may keep a verdict without asking again.',
  ),
};

export type PolicyDefaults = ValuesOf<typeof DEFAULTS_KEYS>;
