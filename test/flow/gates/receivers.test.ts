/** Messages that Kamailio hands to workers of its own: they run no event_route[core:pre-routing], and pass the gate in all the same. */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { builds } from '../../support/live/kamailio.js';
import { Stage, TRANSPORTS } from '../../support/live/stage.js';
import { expectNothingPrivateOf } from '../../support/live/strangers.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
/** Since 6.0 one process may read all datagrams, and workers do the rest. */
const WORKERS = 'udp_receiver_mode=1\nasync_workers_group="name=udp;workers=2;nonblock=0;usleep=0"\n';

describe.each(builds('smoke'))('workers, Kamailio $version', (build) => {
  let stage: Stage;
  beforeAll(async () => {
    const script = (directory: string): string => {
      const file = join(directory, 'workers.cfg');
      const text = readFileSync(join(ROOT, 'kamailio-cfg/cscf.cfg'), 'utf8')
        .replace('include_file "..', () => `include_file "${ROOT}`)
        .replace(/^children=.*\n/m, (line) => line + (build.version.startsWith('5.') ? '' : WORKERS));
      mkdirSync(directory, { recursive: true });
      writeFileSync(file, text);
      return relative(ROOT, file);
    };
    stage = await Stage.start({ build, script });
  });
  afterAll(() => stage?.stop());

  it.each(TRANSPORTS)('fail/a stranger over %s says nothing private, in requests and in answers', async (transport) =>
    expectNothingPrivateOf(stage, transport),
  );
});
