/** The scenes of the lab, one after the other: each call to its verdict and what arrived, and what else a scene shows. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Lab } from './lab.js';
import { wrong } from './scene.js';
import { SCENES } from './scenes.js';

let lab: Lab;

beforeAll(async () => {
  lab = await Lab.start();
});

afterAll(async () => {
  await lab?.stop();
});

describe('figure 1, scene by scene', () => {
  it.each(SCENES.map((scene) => [scene.name, scene] as const))('%s', async (_name, scene) => {
    await lab.begin(scene);
    for (const call of scene.calls) {
      expect(wrong(call, await lab.call(call)), call.who).toBeUndefined();
    }
    for (const { what, show } of scene.proofs ?? []) {
      expect(await show(lab, scene), what).toMatchObject({ holds: true });
    }
  });
});
