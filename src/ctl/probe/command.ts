/** `probe HOST:PORT`: a handshake with a partner, what its certificate says, and what siptrust would say to it. */

import { isIP } from 'node:net';
import { join } from 'node:path';
import type { Command } from 'commander';
import { policyDomain } from '../../policy/values/index.js';
import type { CertificateCache } from '../../state/verdicts/index.js';
import { isList, isRecord } from '../../typed.js';
import type { CertificateFacts } from '../../x509/certificate/index.js';
import { readPem, writePem } from '../../x509/der/index.js';
import { sipIdentities } from '../../x509/identity/index.js';
import { Authorities, leafAgreements, policyText, readBundle, refusals } from '../import/index.js';
import {
  type Ask,
  collect,
  makeFiles,
  namedText,
  type Print,
  Refusal,
  render,
  requireFolder,
} from '../terminal/index.js';
import { adviceFor } from './advice.js';
import { servesRole, verifiedChain } from './handed-over.js';
import { type Address, type Offer, type Outcome, type Shown, shakeHands } from './handshake.js';
import { targetOf } from './target.js';

export interface ProbeContext {
  readonly certificates: CertificateCache;
  readonly print: Print;
  readonly ask: Ask;
  readonly exit: (code: number) => void;
}

interface ProbeOptions {
  readonly agreement?: string;
  readonly domain?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly config?: string;
  readonly caList?: string;
  readonly authorities: readonly string[];
  readonly save?: string;
}

/** Where Debian has the public CAs: to find the root above a certificate, not to trust it. */
const PUBLIC_CAS = '/etc/ssl/certs/ca-certificates.crt';

interface Verdict {
  readonly direction: 'in' | 'out';
  readonly verdict: string;
  readonly reasons: readonly string[];
}

/** Adds the command. */
export function probeCommand(root: Command, context: ProbeContext): void {
  root
    .command('probe')
    .description(
      'shakes hands with a partner: its chain, its names, the verdict in each direction, what to write to accept it; exit code 1: it is not trusted in both directions, 2: no handshake',
    )
    .argument('<host:port>')
    .option('--agreement <name>', 'the agreement that it is a server of')
    .option('--domain <name>', 'the domain that it serves (default: HOST)')
    .option('--cert <file>', 'our certificate, with its chain')
    .option('--key <file>', 'its key')
    .option('--config <file>', 'policy file; answers without a daemon')
    .option('--ca-list <file>', "the proxy's ca_list: what its TLS stack will say (default: as if it accepted)")
    .option('--authorities <file>', 'CA certificates, to find the root of the chain', collect, [])
    .option('--save <directory>', 'writes the proposed agreement there, and the CA certificates that it names')
    .action(async (target: string, options: ProbeOptions) => {
      const report = await probe(targetOf(target), options, context);
      context.print(report, () => reportText(report));
      if (!report.verdicts.every(({ verdict }) => verdict === 'trusted')) context.exit(1);
    });
}

type Report = Awaited<ReturnType<typeof probe>>;

async function probe(target: Address, options: ProbeOptions, context: ProbeContext) {
  const { certificates } = context;
  if (options.save !== undefined) requireFolder('--save', options.save);
  const domain = await domainOf(target, options, context);
  const sni = domain ?? (isIP(target.host) === 0 ? target.host : undefined);
  const offer: Offer = sni === undefined ? {} : { sni };
  const own = ownCertificate(options);
  const outcomes: { readonly as: string; readonly outcome: Outcome }[] = [
    { as: 'without a certificate', outcome: await shakeHands(target, offer) },
  ];
  if (own !== undefined) {
    outcomes.push({ as: `with ${options.cert}`, outcome: await shakeHands(target, { ...offer, own }) });
  }
  const shown = outcomes.flatMap(({ outcome }) => ('shown' in outcome ? [outcome.shown] : [])).at(-1);
  const handshakes = outcomes.map(({ as, outcome }) => handshakeRow(as, outcome));
  if (shown === undefined) {
    throw new Refusal(
      `${target.host} port ${target.port}: expected a TLS handshake, found ${handshakes.map(({ outcome }) => outcome).join('; ')}`,
      2,
    );
  }
  const stack = await stackVerdict(target, offer, own, options.caList);
  const facts = shown.chain.map((der) => certificates.read(Buffer.from(der).toString('base64')));
  const [leaf, ...above] = facts;
  if (leaf === undefined)
    throw new Refusal(`${target.host} port ${target.port}: expected a certificate, found none`, 1);
  if ('malformed' in leaf) throw new Refusal(`the certificate of ${target.host}: ${leaf.malformed}`, 1);
  const readable = above.flatMap((each) => ('malformed' in each ? [] : [each]));
  const known = options.caList === undefined ? [] : readBundle(options.caList, certificates).known;
  const chain = verifiedChain(leaf, readable, known);
  const verdicts = await verdictsOn(shown, [leaf, ...chain], { domain, accepts: stack === '' }, options, context);
  const { kind, names, findings } = sipIdentities(leaf, { cnFallback: true });
  const proposal = propose(leaf, readable, options, context);
  return {
    target: `${target.host} port ${target.port}${sni === undefined ? '' : `, server name ${sni}`}`,
    handshakes,
    chain: [leaf, ...readable].map(certificateRow),
    names: { kind, names, remarks: findings.map(({ code, detail }) => `${code}: ${detail}`) },
    stack:
      options.caList === undefined
        ? 'not asked (--ca-list): taken as accepting'
        : stack || `accepts, by ${options.caList}`,
    verdicts,
    advice: adviceFor(
      verdicts.flatMap(({ verdict, reasons }) =>
        verdict === 'trusted' ? [] : reasons.map((text) => text.split(':', 1)[0] ?? ''),
      ),
      leaf,
    ),
    ...(verdicts.every(({ verdict }) => verdict === 'trusted')
      ? { policy: '', notes: proposal.saved.length > 0 ? proposal.notes : [] }
      : { policy: proposal.text, notes: proposal.notes }),
    saved: proposal.saved,
  };
}

/** The domain that the certificate has to name. */
async function domainOf(target: Address, { agreement, domain, config }: ProbeOptions, context: ProbeContext) {
  if (domain !== undefined) {
    const read = policyDomain(domain);
    if ('domain' in read) return read.domain;
    throw new Refusal(`--domain: expected a domain, found ${JSON.stringify(domain)}: ${read.fault}`, 2);
  }
  if (agreement !== undefined) {
    const found = await context.ask('agreement.show', { name: agreement }, { config });
    const domains = isRecord(found) ? found.domains : undefined;
    return isList(domains) && domains.length > 0 ? String(domains[0]) : undefined;
  }
  const read = policyDomain(target.host);
  return 'domain' in read ? read.domain : undefined;
}

function ownCertificate({ cert, key }: ProbeOptions): Offer['own'] {
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined || key === undefined)
    throw new Refusal('expected --cert and --key together, found one of them', 2);
  return { cert: namedText(cert), key: namedText(key) };
}

/** What the stack of a proxy with this ca_list would say; empty: it accepts. */
async function stackVerdict(
  target: Address,
  offer: Offer,
  own: Offer['own'],
  caList: string | undefined,
): Promise<string> {
  if (caList === undefined) return '';
  const authorities = readPem(namedText(caList)).map((der) => writePem(der));
  const outcome = await shakeHands(target, { ...offer, authorities, ...(own === undefined ? {} : { own }) });
  return 'shown' in outcome ? outcome.shown.refusal : outcome.failed;
}

function handshakeRow(as: string, outcome: Outcome) {
  if ('failed' in outcome) return { as, outcome: `refused: ${outcome.failed}`, version: '', cipher: '' };
  const { version, cipher, ended } = outcome.shown;
  return { as, outcome: ended === '' ? 'accepted' : `ended by the server: ${ended}`, version, cipher };
}

function certificateRow(facts: CertificateFacts, index: number) {
  return {
    sent: index === 0 ? 'leaf' : String(index),
    subject: facts.subjectText,
    issuer: facts.issuerText,
    until: new Date(facts.notAfter).toISOString().slice(0, 10),
    sha256: facts.sha256.slice(0, 16),
  };
}

/**
 * As if the partner had opened the connection (in), and as it is (out). `chain`: the leaf, and what the proxy has above it where
 * its TLS verifies that; of what it does not it has nothing.
 */
async function verdictsOn(
  { version, cipher, remote, local }: Shown,
  chain: readonly CertificateFacts[],
  { domain, accepts }: { readonly domain: string | undefined; readonly accepts: boolean },
  { config }: ProbeOptions,
  { ask }: ProbeContext,
): Promise<readonly Verdict[]> {
  const [pem = '', ...above] = chain.map(({ der }) => writePem(der));
  const verdicts: Verdict[] = [];
  for (const direction of ['out', 'in'] as const) {
    const verified = accepts && servesRole(chain, direction === 'in' ? 'client' : 'server');
    const sent = verified && above.length > 0 ? { chain: above.join('') } : {};
    const evidence = {
      ...{ proto: 'tls', src_ip: remote.host, src_port: remote.port, rcv_ip: local.host },
      tls: { pem, ...sent, verified: verified ? 1 : 0, version, cipher },
    };
    const next = direction === 'out' ? { next_hop: domain ?? remote.host } : {};
    // explain judges like trust.peer, and nobody takes it for a connection.
    const answer = await ask('trust.explain', { direction, ...next, ...evidence }, { config });
    const { summary, reasons } = isRecord(answer) ? answer : {};
    const verdict = /^[a-z]+/.exec(String(summary))?.[0] ?? 'untrusted';
    verdicts.push({
      direction,
      verdict,
      reasons: (isList(reasons) ? reasons.filter(isRecord) : []).map(({ code, detail }) => `${code}: ${detail}`),
    });
  }
  return verdicts;
}

/** The agreement that would accept what was shown. */
function propose(
  leaf: CertificateFacts,
  above: readonly CertificateFacts[],
  options: ProbeOptions,
  context: ProbeContext,
) {
  const authorities = new Authorities();
  for (const facts of above) if (facts.isCa) authorities.add(facts);
  for (const file of options.authorities.length > 0 ? options.authorities : [PUBLIC_CAS]) {
    try {
      for (const facts of readBundle(file, context.certificates).known) if (facts.isCa) authorities.add(facts);
    } catch (error) {
      // Without public CAs the chain that was sent is all there is.
      if (!(error instanceof Refusal) || options.authorities.length > 0) throw error;
    }
  }
  // Of a name that no agreement has, the verdicts above say no more than that.
  const { candidates, findings } = leafAgreements(
    [{ file: 'the handshake', facts: leaf }],
    authorities,
    (facts, path) => refusals(facts, path, Date.now()),
  );
  const notes = findings.map(({ text }) => text);
  if (candidates.length === 0) return { text: '', notes, saved: [] };
  const text = policyText(candidates, {
    heading: ['Ask the partner, by another way than this connection, whether these are its CA and key.'],
  });
  const { save } = options;
  if (save === undefined) return { text, notes, saved: [] };
  const files = [
    { path: join(save, `${candidates[0]?.name}.yaml`), text, mode: 0o644 },
    ...Object.entries(authorities.used()).map(([name, pem]) => ({ path: join(save, name), text: pem, mode: 0o644 })),
  ];
  makeFiles(files);
  return { text, notes, saved: files.map(({ path }) => path) };
}

function reportText({
  target,
  handshakes,
  chain,
  names,
  stack,
  verdicts,
  advice,
  policy,
  notes,
  saved,
}: Report): string {
  const block = (title: string, lines: readonly string[]): readonly string[] =>
    lines.length === 0 ? [] : ['', `${title}:`, ...lines.map((line) => `  ${line}`)];
  return [
    target,
    ...block('handshakes', render(handshakes).split('\n')),
    ...block('chain as it was sent', render(chain).split('\n')),
    ...block(`names (RFC 5922 §7.1, ${names.kind})`, [names.names.join(', ') || 'none', ...names.remarks]),
    ...block('TLS stack of the proxy', [stack]),
    ...block(
      'verdicts',
      verdicts.flatMap(({ direction, verdict, reasons }) => [
        `${direction === 'out' ? 'out (we connect to it)' : 'in (it connects to us with this certificate)'}: ${verdict}`,
        ...reasons.map((text) => `  ${text}`),
      ]),
    ),
    ...block('what helps', advice),
    ...block('an agreement for it (monitored at first)', policy === '' ? [] : policy.trimEnd().split('\n')),
    ...block('mind', notes),
    ...block('written', saved),
  ].join('\n');
}
