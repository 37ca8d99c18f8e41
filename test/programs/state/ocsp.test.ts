import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ca, crl, DAY, ext, type Issued, leaf } from '../../support/certificates.js';
import { HttpServer } from '../../support/http-server.js';
import type { Child } from '../../support/live/child.js';
import { eventually } from '../../support/live/places.js';
import { ocspDer, type ResponseSpec, type SingleSpec } from '../../support/ocsp.js';
import { type Entity, OpensslCa } from '../../support/openssl-ocsp.js';
import { now, type Partner, partner, SECOND, Stage } from '../../support/revocation-stage.js';
import { agreementWith, snapshotWith } from '../../support/snapshot.js';

let server: HttpServer;
const open: Stage[] = [];
beforeEach(async () => {
  server = await HttpServer.start();
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((stage) => stage.close()));
  await server.close();
});

/** What the tests need of a certificate: its facts. */
type Peer = Pick<Issued, 'facts'>;

async function stageWith(ca: Peer, over: Parameters<typeof Stage.open>[2] = {}): Promise<Stage> {
  const stage = await Stage.open({ ca } as Partner, server, over);
  open.push(stage);
  return stage;
}

const told = (stage: Stage, peer: Peer): string => stage.told(peer as Issued);
const becomes = (stage: Stage, peer: Peer, expected: string) =>
  eventually(`the verdict ${expected}, instead of ${told(stage, peer)}`, () => told(stage, peer) === expected);
const refused = (stage: Stage, error: RegExp) =>
  eventually(`${error}`, async () => (await stage.errors()).some((each) => error.test(each)));

describe('openssl ocsp as the responder', () => {
  const OCSP_SIGNING = ['extendedKeyUsage=OCSPSigning', 'keyUsage=critical,digitalSignature'];
  let pki: OpensslCa;
  let other: OpensslCa;
  const signers: Record<string, Entity> = {};
  beforeAll(() => {
    pki = new OpensslCa('/O=Operator B/CN=Operator B CA');
    other = new OpensslCa('/O=Operator B/CN=Operator B CA');
    signers.issuer = pki.ca;
    signers.delegated = pki.issue('/O=Operator B/CN=ocsp', [...OCSP_SIGNING, 'noCheck=ignored']);
    signers['delegated, without nocheck'] = pki.issue('/O=Operator B/CN=ocsp', OCSP_SIGNING);
    signers['delegated without OCSPSigning'] = pki.issue('/O=Operator B/CN=ocsp', ['extendedKeyUsage=serverAuth']);
    signers['delegated without extendedKeyUsage'] = pki.issue('/O=Operator B/CN=ocsp', []);
    signers['delegated by another CA of the same name'] = pki.issue('/O=Operator B/CN=ocsp', OCSP_SIGNING, other.ca);
    signers['another CA of the same name'] = other.ca;
  });
  afterAll(() => {
    pki.close();
    other.close();
  });

  const peerAt = (url: string): Entity =>
    pki.issue('/O=Operator B/CN=sbc', [
      'subjectAltName=DNS:b.example',
      'extendedKeyUsage=clientAuth,serverAuth',
      'keyUsage=critical,digitalSignature',
      `authorityInfoAccess=OCSP;URI:${url}`,
    ]);

  const rows: readonly (readonly [
    name: string,
    signer: string,
    expected: string | RegExp,
    more?: readonly string[],
  ])[] = [
    ['ok/signed by the issuer', 'issuer', 'trusted agreement-covers'],
    ['ok/delegated', 'delegated', 'trusted agreement-covers'],
    ['ok/delegated, without nocheck', 'delegated, without nocheck', 'trusted agreement-covers'],
    ['ok/no nextUpdate, with the nonce', 'issuer', 'trusted agreement-covers', []],
    ['ok/named by the hash of its key', 'delegated', 'trusted agreement-covers', ['-ndays', '1', '-resp_key_id']],
    ['fail/delegated without OCSPSigning (T-22)', 'delegated without OCSPSigning', /OCSPSigning/],
    ['fail/delegated without extendedKeyUsage (T-22)', 'delegated without extendedKeyUsage', /OCSPSigning/],
    ['fail/delegated by another CA (T-22)', 'delegated by another CA of the same name', /issued directly/],
    ['fail/another CA (T-22)', 'another CA of the same name', /issued directly/],
    ['fail/without certificates', 'delegated', /none that verifies/, ['-ndays', '1', '-resp_no_certs']],
  ];
  for (const [name, signer, expected, more] of rows) {
    test(name, async () => {
      const peer = peerAt(server.url('/ocsp'));
      pki.tell([[peer, 'good']]);
      server.on('/ocsp', (response, _request, body) =>
        response.end(pki.respond(body, signers[signer] as Entity, more)),
      );
      const stage = await stageWith(pki.ca);
      expect(told(stage, peer)).toBe('untrusted rev-unknown');
      if (typeof expected === 'string') await becomes(stage, peer, expected);
      else {
        await refused(stage, expected);
        expect(told(stage, peer)).toBe('untrusted rev-unknown');
      }
    });
  }

  test('fail/the responder does not know the certificate (K-15)', async () => {
    const peer = peerAt(server.url('/ocsp'));
    pki.tell([]);
    server.on('/ocsp', (response, _request, body) => response.end(pki.respond(body, pki.ca)));
    const stage = await stageWith(pki.ca);
    told(stage, peer);
    await refused(stage, /does not know the certificate/);
    expect(told(stage, peer)).toBe('untrusted rev-unknown');
  });

  test('fail/revoked since (T-19, T-46), with a responder over the network', async () => {
    // The certificate names a port before the responder has one, so a relay stands in between.
    const peer = peerAt(server.url('/relay'));
    pki.tell([[peer, 'good']]);
    let responder: { port: number; child: Child } = await pki.listen(signers.delegated as Entity);
    server.on('/relay', (response, _request, body) => {
      const headers = { 'Content-Type': 'application/ocsp-request' };
      fetch(`http://127.0.0.1:${responder.port}/`, { method: 'POST', headers, body }).then(
        async (answer) => response.end(Buffer.from(await answer.arrayBuffer())),
        () => response.destroy(),
      );
    });
    try {
      const stage = await stageWith(pki.ca);
      await becomes(stage, peer, 'trusted agreement-covers');
      const { revision } = stage.state.policy.snapshot;
      pki.tell([[peer, 'revoked']]);
      // openssl ocsp reads its index once.
      await responder.child.stop();
      responder = await pki.listen(signers.delegated as Entity);
      await becomes(stage, peer, 'reject revoked');
      expect(stage.ask(peer as unknown as Issued)).toMatchObject({ action: 'close' });
      expect(stage.state.policy.snapshot.revision).toBeGreaterThan(revision);
    } finally {
      await responder.child.stop();
    }
  });
});

describe('responders that lie, replay or fail', () => {
  const b = partner();
  const issuer = b.ca;
  const nonceOf = (request: Buffer): Uint8Array => {
    // The nonce is the last element of the request: 32 octets.
    return new Uint8Array(request.subarray(-32));
  };
  function serve(peer: Issued, entry: Partial<SingleSpec> = {}, spec: Partial<ResponseSpec> = {}, nonce = true): void {
    server.on('/ocsp', (response, _request, body) => {
      const times = { thisUpdate: now() - SECOND, nextUpdate: now() + DAY };
      const single: SingleSpec = { certificate: peer, issuer, ...times, ...entry };
      response.end(ocspDer([single], { signer: issuer, ...(nonce ? { nonce: nonceOf(body) } : {}), ...spec }));
    });
  }
  const peerOf = () => b.peer({ ocsp: server.url('/ocsp') });

  test('ok/a responder that prepares its answers, without a nonce (K-14)', async () => {
    const peer = peerOf();
    serve(peer, {}, {}, false);
    await becomes(await stageWith(issuer), peer, 'trusted agreement-covers');
  });
  test('fail/without a nonce where the policy requires it (K-14)', async () => {
    const peer = peerOf();
    serve(peer, {}, {}, false);
    const stage = await stageWith(issuer, { snapshot: { ocsp: { maxAge: DAY, nonceRequired: true } } });
    told(stage, peer);
    await refused(stage, /expected the nonce of the question, found none/);
    serve(peer);
    await becomes(stage, peer, 'trusted agreement-covers');
  });
  test('fail/the nonce of another question (K-14)', async () => {
    const peer = peerOf();
    serve(peer, {}, { nonce: new Uint8Array(32) });
    const stage = await stageWith(issuer);
    told(stage, peer);
    await refused(stage, /expected the nonce of the question, found another/);
    expect(told(stage, peer)).toBe('untrusted rev-unknown');
  });
  test('fail/a replay after a revocation does not clear it (T-23)', async () => {
    const peer = peerOf();
    serve(peer, { status: { revoked: now() - DAY } }, {}, false);
    const stage = await stageWith(issuer);
    await becomes(stage, peer, 'reject revoked');
    serve(peer, { thisUpdate: now() - 3600 * SECOND }, {}, false);
    await refused(stage, /found an older one/);
    expect(told(stage, peer)).toBe('reject revoked');
  });
  test('ok/a newer good answer releases a held certificate', async () => {
    const peer = peerOf();
    serve(peer, { status: { revoked: now() - DAY, reason: 6 } });
    const stage = await stageWith(issuer);
    await becomes(stage, peer, 'reject revoked');
    serve(peer);
    await becomes(stage, peer, 'trusted agreement-covers');
  });
  test('fail/an answer that has run out (T-23)', async () => {
    const peer = peerOf();
    serve(peer, { nextUpdate: now() - SECOND }, {}, false);
    const stage = await stageWith(issuer);
    told(stage, peer);
    await refused(stage, /expected nextUpdate after/);
  });
  test('fail/verdicts tell why nothing is known, and a right answer settles it later (T-23)', async () => {
    const peer = peerOf();
    serve(peer, { thisUpdate: now() + DAY, nextUpdate: now() + 2 * DAY }, {}, false);
    const stage = await stageWith(issuer);
    const codes = () => stage.ask(peer as Issued).findings.map(({ code }) => code);
    expect(codes()).not.toContain('ocsp-time');
    await eventually('the reason', () => codes().includes('ocsp-time'));
    expect(told(stage, peer)).toBe('untrusted rev-unknown');
    serve(peer);
    await becomes(stage, peer, 'trusted agreement-covers');
    expect(codes()).toEqual(['agreement-covers']);
  });
  test('fail/a status runs out while nobody answers', async () => {
    const peer = peerOf();
    serve(peer, { nextUpdate: now() + 2 * SECOND }, {}, false);
    const stage = await stageWith(issuer);
    await becomes(stage, peer, 'trusted agreement-covers');
    server.on('/ocsp', (response) => response.destroy());
    await becomes(stage, peer, 'untrusted rev-unknown');
  });
  for (const status of [1, 2, 3, 5, 6]) {
    test(`fail/error ${status} is no status (K-16)`, async () => {
      const peer = peerOf();
      server.on('/ocsp', (response) => response.end(ocspDer([], { signer: issuer, status })));
      const stage = await stageWith(issuer);
      told(stage, peer);
      await refused(stage, /expected a successful response/);
      expect(told(stage, peer)).toBe('untrusted rev-unknown');
    });
  }
  test('fail/rubbish keeps the status that is held', async () => {
    const peer = peerOf();
    serve(peer);
    const stage = await stageWith(issuer);
    await becomes(stage, peer, 'trusted agreement-covers');
    server.on('/ocsp', (response) => response.end('<html>'));
    await refused(stage, /./);
    expect(told(stage, peer)).toBe('trusted agreement-covers');
  });
  test('ok/the same status again disturbs nobody', async () => {
    const peer = peerOf();
    serve(peer);
    const stage = await stageWith(issuer);
    await becomes(stage, peer, 'trusted agreement-covers');
    const { revision } = stage.state.policy.snapshot;
    const asked = server.requests.length;
    await eventually('another question', () => server.requests.length > asked + 1);
    expect(stage.state.policy.snapshot.revision).toBe(revision);
  });
  test('ok/a CRL where the responder fails (K-17)', async () => {
    const peer = b.peer({ ocsp: server.url('/ocsp'), crls: [server.url('/b.crl')] });
    server.on('/ocsp', (response) => response.destroy());
    server.serve('/b.crl', crl(issuer, { thisUpdate: now() - SECOND, nextUpdate: now() + DAY }).der);
    await becomes(await stageWith(issuer), peer, 'trusted agreement-covers');
  });
  test('fail/a policy that is loaded again forgets no revocation below an intermediate that peers have sent', async () => {
    const times = { notBefore: now() - DAY, notAfter: now() + DAY };
    const middle = ca(issuer, { subject: 'CN=R11', ...times });
    const extensions = { altNames: ext.altNames([{ dns: 'b.example' }]) };
    const peer = leaf(middle, { ...times, extensions, add: [ext.ocspResponder(server.url('/ocsp'))] });
    serve(peer, { issuer: middle, status: { revoked: now() - DAY } }, { signer: middle });
    const stage = await stageWith(issuer, { agreement: { revocation: 'soft' } });
    const said = () => stage.ask(peer, [middle]).findings[0]?.code;
    await eventually('it is known to be revoked', () => said() === 'revoked');
    server.on('/ocsp', (response) => response.destroy());
    await stage.reload(
      snapshotWith([
        agreementWith({ anchors: { client: [issuer.facts], server: [issuer.facts] }, revocation: 'soft' }),
      ]),
    );
    expect(said()).toBe('revoked');
  });
  test('fail/one agreement with certificates by the thousand has the status of no other forgotten', async () => {
    const peer = peerOf();
    serve(peer, { status: { revoked: now() - DAY } });
    const stage = await stageWith(issuer);
    await becomes(stage, peer, 'reject revoked');
    const { facts } = b.peer();
    for (let at = 0; at < 10_001; at += 1) stage.revocation.observe({ ...facts, sha256: `${at}` }, [], 'another');
    expect(stage.revocation.ocsp.has(peer.facts.sha256)).toBe(true);
  });
  test('ok/rows name the certificate and its status', async () => {
    const peer = peerOf();
    serve(peer);
    const stage = await stageWith(issuer);
    await becomes(stage, peer, 'trusted agreement-covers');
    expect(await stage.revocation.rows()).toEqual([
      expect.objectContaining({
        kind: 'ocsp',
        source: server.url('/ocsp'),
        certificate: expect.stringContaining(peer.facts.serial),
        state: 'good',
        error: '',
      }),
    ]);
  });
});
