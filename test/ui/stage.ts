/** siptrustd with partners to look at: trusted, untrusted, with a key to approve and a list that runs out. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crl, DAY, ext, type Issued, leaf, root } from '../support/certificates.js';
import { question } from '../support/evidence.js';
import { Daemon, type Policy } from '../support/live/daemon.js';

export interface Stage {
  readonly daemon: Daemon;
  readonly origin: string;
  readonly tokens: { readonly viewer: string; readonly operator: string; readonly script: string };
  /** The HTTPS listener, and certificates that a browser may show there: one that the policy names, one that it does not. */
  readonly secure: {
    readonly origin: string;
    readonly certificates: Readonly<Record<'operator' | 'stranger', { readonly cert: Buffer; readonly key: Buffer }>>;
  };
  /** Asks trust.peer about each partner that has a certificate, and about a stranger. */
  ask(): Promise<void>;
  /** The policy with other agreements besides. */
  write(policy?: Policy): void;
  /** The policy with so many partners, in force. */
  grow(partners: number): Promise<void>;
}

export async function stage(host: string, directory: string): Promise<Stage> {
  const now = Date.now();
  mkdirSync(directory, { recursive: true });
  const long = { notBefore: now - DAY, notAfter: now + 300 * DAY };
  const authority = root({ subject: 'O=Operator B,CN=Operator B CA', ...long });
  const other = root({ subject: 'O=Somebody,CN=Somebody CA', ...long });
  writeFileSync(join(directory, 'ca.pem'), authority.pem);
  writeFileSync(join(directory, 'ca.crl'), crl(authority, { thisUpdate: now - DAY, nextUpdate: now + 2 * DAY }).pem);
  const certificate = (by: Issued, domain: string, notAfter: number): string => {
    const subject = `O=${domain},CN=${domain}`;
    return leaf(by, {
      subject,
      extensions: { altNames: ext.altNames([{ dns: domain }]) },
      notBefore: now - 30 * DAY,
      notAfter,
    }).pem;
  };
  const peers: readonly (readonly [string, string])[] = [
    ['good', certificate(authority, 'good.example', now + 200 * DAY)],
    ['ending', certificate(authority, 'ending.example', now + 5 * DAY)],
    ['expired', certificate(authority, 'expired.example', now - DAY)],
    ['forged', certificate(other, 'forged.example', now + 200 * DAY)],
    ['pinned', certificate(authority, 'pinned.example', now + 200 * DAY)],
    ['stranger', certificate(other, 'stranger.example', now + 200 * DAY)],
  ];
  const agreement = (name: string, rest: object = {}) => ({
    ...{ name, domains: [`${name}.example`], mechanism: 'tls', anchors: ['ca.pem'], revocation: 'off' },
    ...rest,
  });
  const identity = (subject: string, at = leaf(authority, { subject, ...long })) => {
    const key = at.key.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
    return { cert: Buffer.from(at.pem), key: Buffer.from(key) };
  };
  const certificates = { operator: identity('CN=noc'), stranger: identity('CN=somebody') };
  const server = identity('CN=siptrust');
  writeFileSync(join(directory, 'server.pem'), server.cert);
  writeFileSync(join(directory, 'server.key'), server.key, { mode: 0o600 });
  writeFileSync(join(directory, 'noc.pem'), certificates.operator.cert);
  const partners = [
    agreement('good', { revocation: 'hard', crls: ['ca.crl'] }),
    ...['ending', 'expired', 'forged'].map((name) => agreement(name)),
    agreement('pinned', { pinned: true }),
  ];
  const policy: Policy = {
    own_domains: ['us.example'],
    agreements: partners,
    daemon: {
      access: {
        tokens: 'tokens.json',
        certificates: [{ name: 'noc', role: 'operator', files: ['noc.pem'] }],
      },
      tls: { certificate: 'server.pem', key: 'server.key' },
      state: { file: 'state.db' },
    },
  };
  const daemon = new Daemon(host, directory);
  const write = (changes: Policy = {}): void => daemon.write({ ...policy, ...changes }, { https: `${host}:7443` });
  write();
  await daemon.start();
  const token = async (role: string): Promise<string> =>
    String((await daemon.call('token.add', { name: role, role })).token);
  const tokens = {
    ...{ viewer: await token('viewer'), operator: await token('operator') },
    script: await token('script'),
  };
  const ask = async (): Promise<void> => {
    for (const [at, [, pem]] of peers.entries()) {
      const evidence = question(pem, { conid: at + 1, src_ip: `192.0.2.${at + 1}`, src_port: 40_000 });
      await daemon.call('trust.peer', evidence);
    }
  };
  const grow = async (count: number): Promise<void> => {
    const more = Array.from({ length: count - partners.length }, (_, at) => {
      return agreement(`p${String(at + 1).padStart(4, '0')}`);
    });
    write({ agreements: [...partners, ...more] });
    await daemon.call('agreement.reload');
  };
  const secure = { origin: `https://${host}:7443`, certificates };
  return { daemon, origin: `http://${host}:7061`, tokens, secure, ask, write, grow };
}
