/**
 * Builds siptrust_VERSION_ARCH.deb out of what `make build` left: `deb.ts [OUTPUT-DIRECTORY]`. Files stand where Debian
 * policy has them. The same tree gives the same bytes: all times are SOURCE_DATE_EPOCH, or else that of the last commit.
 * DEB_VERSION: a version of the package other than that of package.json.
 */

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { constants, gzipSync } from 'node:zlib';
import { program } from '../src/ctl/program.js';
import { bashCompletion } from './completion.js';
import { copyrightFile } from './copyright.js';
import { packagedLinks } from './links.js';
import { ctlPage, daemonPage } from './manual.js';
import { copyModule, productionModules } from './modules.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');
const DEBIAN = join(ROOT, 'packaging/debian');
const MAINTAINER = 'The siptrust authors <siptrust@users.noreply.github.com>';
const CONFFILES = ['/etc/siptrust/siptrust.yaml', '/etc/logrotate.d/siptrust'];

interface Manifest {
  readonly version: string;
  readonly license: string;
  readonly description: string;
}

const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Manifest;
const version = process.env.DEB_VERSION ?? manifest.version;
const epoch = Number(process.env.SOURCE_DATE_EPOCH ?? run('git', '-C', ROOT, 'log', '-1', '--format=%ct'));
if (!Number.isInteger(epoch)) throw new Error(`SOURCE_DATE_EPOCH: expected seconds, found "${epoch}"`);
const date = new Date(epoch * 1000);
const architecture = run('dpkg', '--print-architecture');

function run(command: string, ...args: readonly string[]): string {
  return execFileSync(command, args, { encoding: 'utf8' }).trim();
}

/** The tree of the package, before it is packed. */
class Stage {
  constructor(readonly root: string) {}

  /** Writes a file; `path` as installed. */
  write(path: string, content: string | Uint8Array, mode = 0o644): void {
    const at = join(this.root, path);
    mkdirSync(dirname(at), { recursive: true });
    writeFileSync(at, content);
    chmodSync(at, mode);
  }

  copy(from: string, path: string): void {
    this.write(path, readFileSync(join(ROOT, from)));
  }

  copyTree(from: string, path: string): void {
    cpSync(join(ROOT, from), join(this.root, path), { recursive: true });
  }

  compressed(path: string, text: string): void {
    this.write(`${path}.gz`, gzip(text));
  }

  /** All files and directories below the root, in the order of their names. */
  paths(): readonly string[] {
    return readdirSync(this.root, { recursive: true, encoding: 'utf8' }).sort();
  }
}

/** As `gzip -9n`: no time, no name. */
function gzip(text: string): Uint8Array {
  return gzipSync(text, { level: constants.Z_BEST_COMPRESSION });
}

function stageProgram(stage: Stage): void {
  const library = '/usr/lib/siptrust';
  stage.write(
    `${library}/package.json`,
    `${JSON.stringify({ name: 'siptrust', version: manifest.version, type: 'module' })}\n`,
  );
  stage.copyTree('dist', `${library}/dist`);
  for (const [name, file] of [
    ['siptrustd', 'dist/main.js'],
    ['siptrustctl', 'dist/ctl/main.js'],
  ] as const) {
    // What /usr/bin starts is Debian's Node, not the first one in somebody's PATH.
    const script = readFileSync(join(ROOT, file), 'utf8');
    const command = ['/usr/bin/node', ...nodeOptions(script), `${library}/${file}`].join(' ');
    stage.write(`${library}/${file}`, script.replace(/^#!.*\n/, ''));
    stage.write(`/usr/bin/${name}`, `#!/bin/sh\nexec ${command} "$@"\n`, 0o755);
  }
  for (const module of productionModules(ROOT)) copyModule(ROOT, module, join(stage.root, library));
  for (const path of stage.paths().filter((each) => each.endsWith('.node'))) {
    run('strip', '--strip-unneeded', '--enable-deterministic-archives', join(stage.root, path));
  }
}

/** What the first line of a program asks of Node. */
function nodeOptions(script: string): readonly string[] {
  return /^#!\/usr\/bin\/env -S node (.*)\n/.exec(script)?.[1]?.split(' ') ?? [];
}

function stageShared(stage: Stage): void {
  for (const name of readdirSync(join(ROOT, 'plugin')).filter((each) => each !== 'systemd')) {
    stage.copyTree(`plugin/${name}`, `/usr/share/siptrust/${name}`);
  }
  const script = 'kamailio/siptrust.cfg';
  const groups = [
    /(?<=^#!trydef SIPTRUST_GROUPS ").*(?=\/siptrust-groups\.txt")/m,
    '/usr/share/siptrust/kamailio',
  ] as const;
  stage.write(`/usr/share/siptrust/${script}`, changed(`plugin/${script}`, [groups]));
  stage.copy('packaging/debian/siptrust.yaml', '/etc/siptrust/siptrust.yaml');
  stage.copy('packaging/debian/logrotate', '/etc/logrotate.d/siptrust');
  stage.copy('packaging/debian/tmpfiles.conf', '/usr/lib/tmpfiles.d/siptrust.conf');
  stage.copy('plugin/systemd/siptrust.sysusers.conf', '/usr/lib/sysusers.d/siptrust.conf');
  stage.write('/usr/lib/systemd/system/siptrustd.service', serviceUnit());
}

/** The unit of the tree, where the package has put the program, and with the FIFO of kamctl. */
function serviceUnit(): string {
  return changed('plugin/systemd/siptrustd.service', [
    [/^#(?: .*)?\n/gm, ''],
    [/^Documentation=.*$/m, 'Documentation=man:siptrustd(8) file:///usr/share/doc/siptrust/README.md'],
    [/^ExecStart=siptrustd\b/m, 'ExecStart=/usr/bin/siptrustd'],
    [/^PrivateTmp=yes$/m, '# kamctl makes its reply FIFOs in the /tmp of the host.\nPrivateTmp=no'],
  ]).trimStart();
}

/** A file of the tree as the package has it. */
function changed(path: string, changes: readonly (readonly [found: RegExp, now: string])[]): string {
  return changes.reduce(
    (text, [found, now]) => {
      if (text.search(found) < 0) throw new Error(`${path}: expected ${String(found)}, found no such line`);
      return text.replace(found, now);
    },
    readFileSync(join(ROOT, path), 'utf8'),
  );
}

function stageDocumentation(stage: Stage): void {
  const doc = '/usr/share/doc/siptrust';
  stage.write(`${doc}/copyright`, copyrightFile(manifest.license, productionModules(ROOT)));
  const day = date.toUTCString().replace('GMT', '+0000');
  const entry = `siptrust (${version}) unstable; urgency=medium\n\n  * What is new: ${doc}/CHANGELOG.md.gz\n\n -- ${MAINTAINER}  ${day}\n`;
  stage.compressed(`${doc}/changelog`, entry);
  stage.compressed(`${doc}/CHANGELOG.md`, readFileSync(join(ROOT, 'CHANGELOG.md'), 'utf8'));
  const docs = readdirSync(join(ROOT, 'docs')).map((name) => `docs/${name}`);
  for (const path of ['README.md', 'SECURITY.md', ...docs.filter((each) => each.endsWith('.md'))]) {
    stage.write(`${doc}/${path}`, packagedLinks(readFileSync(join(ROOT, path), 'utf8'), path));
  }
  for (const path of docs.filter((each) => /\.(svg|png)$/.test(each))) stage.copy(path, `${doc}/${path}`);
  stage.copyTree('kamailio-cfg', `${doc}/examples`);
  const page = { version: manifest.version, date: date.toISOString().slice(0, 10) };
  const commands = program(process.stdin, process.stdout);
  const help = run('node', join(ROOT, 'dist/main.js'), '--help');
  stage.compressed('/usr/share/man/man8/siptrustd.8', daemonPage(help, { name: 'siptrustd', section: 8, ...page }));
  stage.compressed(
    '/usr/share/man/man1/siptrustctl.1',
    ctlPage(commands, { name: 'siptrustctl', section: 1, ...page }),
  );
  stage.write('/usr/share/bash-completion/completions/siptrustctl', bashCompletion(commands));
  stage.copy('packaging/debian/lintian-overrides', '/usr/share/lintian/overrides/siptrust');
}

function stageControl(stage: Stage): void {
  const files = stage.paths().filter((path) => statSync(join(stage.root, path)).isFile());
  const sums = files.map((path) => {
    const sum = createHash('md5')
      .update(readFileSync(join(stage.root, path)))
      .digest('hex');
    return `${sum}  ${path}\n`;
  });
  const kibibytes = files.reduce((sum, path) => sum + Math.ceil(statSync(join(stage.root, path)).size / 1024), 0);
  stage.write('/DEBIAN/md5sums', sums.join(''));
  stage.write('/DEBIAN/conffiles', CONFFILES.map((path) => `${path}\n`).join(''));
  for (const script of ['postinst', 'prerm', 'postrm']) {
    stage.write(`/DEBIAN/${script}`, readFileSync(join(DEBIAN, script)), 0o755);
  }
  const node = Number(process.versions.node.split('.')[0]);
  const fields = {
    Package: 'siptrust',
    Version: version,
    Architecture: architecture,
    Maintainer: MAINTAINER,
    'Installed-Size': String(kibibytes),
    // procps: /bin/kill of the unit, pkill of logrotate. The binary of better-sqlite3 is made for one release of Node and its ABI (nodejs.org/en/about/previous-releases).
    Depends: [
      `nodejs (>= ${node === 20 ? '20.19' : node}), nodejs (<< ${node + 1})`,
      libraries(stage),
      SYSTEMD,
      'procps',
    ].join(', '),
    Suggests: 'kamailio (>= 5.6), kamailio-tls-modules, kamailio-utils-modules, opensips, bash-completion, logrotate',
    Section: 'net',
    Priority: 'optional',
    Description: `tells a SIP proxy whether the network at the other end is trusted\n${DESCRIPTION}`,
  };
  const control = Object.entries(fields).map(([name, value]) => `${name}: ${value}\n`);
  stage.write('/DEBIAN/control', control.join(''));
}

const SYSTEMD =
  'systemd | systemd-standalone-sysusers | systemd-sysusers, systemd | systemd-standalone-tmpfiles | systemd-tmpfiles, init-system-helpers (>= 1.52)';
const DESCRIPTION = ` siptrust is a sidecar daemon beside Kamailio or OpenSIPS. The routing script
 asks it over JSON-RPC, once per TLS connection, and gets a verdict: which peer
 network is there, under which interworking agreement, and which header fields
 must go (3GPP TS 33.203, RFC 3325, RFC 5922). What fails, fails closed.`;

/** The libraries that the native modules need, with versions, as dpkg-shlibdeps finds them. */
function libraries(stage: Stage): string {
  const work = mkdtempSync(join(tmpdir(), 'siptrust-shlibs-'));
  try {
    mkdirSync(join(work, 'debian'));
    writeFileSync(join(work, 'debian/control'), 'Source: siptrust\n\nPackage: siptrust\nArchitecture: any\n');
    const binaries = stage.paths().filter((path) => path.endsWith('.node'));
    const args = ['-O', ...binaries.map((path) => `-e${join(stage.root, path)}`)];
    const found = execFileSync('dpkg-shlibdeps', args, {
      cwd: work,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return found.trim().replace(/^shlibs:Depends=/, '');
  } finally {
    rmSync(work, { recursive: true });
  }
}

/** One owner, two modes, one time: nothing of the machine that built it. */
function settle(stage: Stage): void {
  for (const path of ['', ...stage.paths()]) {
    const at = join(stage.root, path);
    const status = statSync(at);
    const executable = status.isDirectory() || path.startsWith('usr/bin/') || /^DEBIAN\/(post|pre)/.test(path);
    chmodSync(at, executable ? 0o755 : 0o644);
  }
  for (const path of [...stage.paths(), '']) lutimesSync(join(stage.root, path), epoch, epoch);
}

function build(output: string): string {
  const work = mkdtempSync(join(tmpdir(), 'siptrust-deb-'));
  try {
    if (!existsSync(join(ROOT, 'dist/main.js'))) throw new Error('expected dist/main.js, found none: make build');
    const stage = new Stage(join(work, 'tree'));
    mkdirSync(stage.root);
    stageProgram(stage);
    stageShared(stage);
    stageDocumentation(stage);
    stageControl(stage);
    settle(stage);
    const name = `siptrust_${version}_${architecture}.deb`;
    const options = ['--root-owner-group', '--threads-max=1', '-Zxz', '--build', stage.root, join(work, name)];
    execFileSync('dpkg-deb', options, { env: { ...process.env, SOURCE_DATE_EPOCH: String(epoch) }, stdio: 'ignore' });
    mkdirSync(output, { recursive: true });
    copyFileSync(join(work, name), join(output, `${name}.new`));
    renameSync(join(output, `${name}.new`), join(output, name));
    return join(output, name);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

const output = resolve(process.argv[2] ?? join(ROOT, 'packages'));
process.stdout.write(`${relative(process.cwd(), build(output)) || basename(output)}\n`);
