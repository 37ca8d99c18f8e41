/** The same question to OpenSSL: `openssl verify -x509_strict`, one process a case. */

import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { NOW } from './certificates.js';
import type { GeneratedChain } from './chain-generator.js';

const PURPOSES = { client: 'sslclient', server: 'sslserver', any: 'any' } as const;

export interface OpensslAnswer {
  readonly ok: boolean;
  readonly text: string;
}

/** Whether OpenSSL is there to be asked. */
export function hasOpenssl(): boolean {
  return spawnSync('openssl', ['version']).status === 0;
}

/** Asks in a folder of its own; files are overwritten by the next question. */
export function opensslVerify(chain: GeneratedChain, folder: string): OpensslAnswer {
  const file = (name: string, pems: readonly { readonly pem: string }[]): string => {
    const path = join(folder, name);
    writeFileSync(path, pems.map(({ pem }) => pem).join(''));
    return path;
  };
  const options = ['verify', '-x509_strict', '-policy_check', '-no-CApath', '-no-CAstore'];
  options.push('-attime', String(NOW / 1000), '-purpose', PURPOSES[chain.purpose]);
  options.push('-CAfile', file('anchors.pem', chain.anchors));
  if (chain.via.length > 0) options.push('-untrusted', file('via.pem', chain.via));
  for (const name of chain.names) {
    if ('dns' in name) options.push('-verify_hostname', name.dns);
    else if ('ip' in name) options.push('-verify_ip', name.ip);
    else if ('email' in name) options.push('-verify_email', name.email);
  }
  if (chain.crls !== undefined) {
    options.push('-crl_check_all');
    if (chain.crls.length > 0) options.push('-CRLfile', file('crls.pem', chain.crls));
  }
  const { status, stdout, stderr } = spawnSync('openssl', [...options, file('leaf.pem', [chain.leaf])], {
    encoding: 'utf8',
  });
  return { ok: status === 0, text: `${stdout}${stderr}`.trim() };
}
