/** A script that says by which certificate of ours it goes to a partner, and a proto_tls that looks at that where it takes a connection again. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshCallId } from '../support/live/caller.js';
import { replaced } from '../support/live/opensips.js';
import { agreementByWords } from '../support/live/opensips-network.js';
import { withoutLocalRoute } from '../support/live/opensips-steps.js';
import { Party } from '../support/live/party.js';
import { eventually } from '../support/live/places.js';
import { rowsOf, statusOf } from '../support/live/sip-text.js';
import { answerTo, BUILD, type Cast, cast } from './stage.js';

const LOCAL = `
local_route {
	if ($td == "b.example") {
		$avp(client) = "for-b";
	}
	route(SIPTRUST_LOCAL);
}
`;
const CHOSEN = '\tif ($rd == "b.example") {\n\t\t$avp(client) = "for-b";\n\t}\n';

describe.skipIf(BUILD === undefined)('a client domain for each partner', () => {
  let all: Cast | undefined;
  let partner: Party | undefined;
  beforeAll(async () => {
    all = await cast({
      settings: { siptrust_keepalive: '1' },
      plugin: withoutLocalRoute,
      edit: (sample) => {
        const domain =
          sample.match(/^modparam\("tls_mgm", "(?:client_domain"|\w+", "\[partners\]).*\n/gm)?.join('') ?? '';
        const reuse = 'modparam("proto_tls", "cert_check_on_conn_reusage", 1)\n';
        const avp = 'modparam("tls_mgm", "client_tls_domain_avp", "client")\n';
        return replaced(sample, [
          [
            'include_file "siptrust.cfg"\n',
            `${domain.replaceAll('partners', 'for-b')}${reuse}${avp}include_file "siptrust.cfg"\n`,
          ],
          ['route[RELAY] {\n', `route[RELAY] {\n${CHOSEN}`],
        ])
          .replaceAll('/for-b.pem', '/partners.pem')
          .concat(LOCAL);
      },
    });
    const { network } = all;
    const terms = agreementByWords('op-b', 'b.example', network.operatorB, { targets: [`${network.host(5)}:5061`] });
    await network.daemon.reload({ ...network.standardPolicy, agreements: [terms] });
    const identity = network.pki.certificate({ issuer: network.operatorB, names: ['DNS:b.example'] });
    partner = await Party.start(network.host(5), identity);
  });
  afterAll(async () => {
    partner?.stop();
    await all?.stop();
  });

  it('ok/the OPTIONS that prove its place go by the same one, where the local_route says so', async () => {
    await eventually('the place is proven', () => (partner?.got.length ?? 0) > 3);
    const headers = ['P-Asserted-Identity: <sip:user@own.example>'];
    const terms = { callId: freshCallId(), ruri: 'sip:x@b.example', from: '<sip:user@own.example>;tag=1', headers };
    const got = all && (await answerTo(all.user, { ...terms, method: 'MESSAGE' }));
    expect(statusOf(got ?? ''), got).toBe(200);
    const there = partner?.find(terms.callId, 'MESSAGE') ?? '';
    expect(rowsOf(there, 'P-Asserted-Identity')).toEqual(['<sip:user@own.example>']);
  });
});
