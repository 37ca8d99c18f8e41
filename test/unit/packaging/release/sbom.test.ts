import { describe, expect, test } from 'vitest';
import { settledSbom } from '../../../../packaging/release/sbom.js';

/** As npm 10 and 11 write it, of a directory of any name. */
function bom(directory: string, components: readonly string[], serial: string): string {
  return JSON.stringify({
    bomFormat: 'CycloneDX',
    specVersion: '1.5',
    serialNumber: `urn:uuid:${serial}`,
    version: 1,
    metadata: {
      timestamp: `2026-11-28T12:09:1${serial[0]}.498Z`,
      tools: [{ vendor: 'npm', name: 'cli', version: '11.19.1' }],
      component: { 'bom-ref': 'siptrust@1.2.3', type: 'library', name: directory, version: '1.2.3' },
    },
    components: components.map((ref) => ({
      'bom-ref': ref,
      type: 'library',
      hashes: [{ alg: 'SHA-512', content: ref }],
    })),
    dependencies: components.map((ref) => ({ ref, dependsOn: [] })),
  });
}

const AT = { commit: '0c78edb1f0c78edb1f0c78edb1f0c78edb1f0c78', epoch: 1_796_000_000 };

describe('the list of what a release is made of', () => {
  const one = settledSbom(bom('tools', ['a@1', 'b@2'], '9b80e5fb-0f21-4ac8-b7e7-e8fa9778415f'), AT);
  test('ok/the same bytes of the same commit, whatever directory, hour and order', () => {
    expect(settledSbom(bom('other', ['b@2', 'a@1'], '1b80e5fb-0f21-4ac8-b7e7-e8fa9778415f'), AT)).toBe(one);
  });
  test('ok/another serial number of another commit', () => {
    const other = settledSbom(bom('tools', ['a@1'], '9b80e5fb-0f21-4ac8-b7e7-e8fa9778415f'), {
      ...AT,
      commit: 'f'.repeat(40),
    });
    expect(JSON.parse(other).serialNumber).not.toBe(JSON.parse(one).serialNumber);
  });
  test('ok/named for the program, dated by the commit, its number a UUID', () => {
    expect(JSON.parse(one)).toMatchObject({
      serialNumber: expect.stringMatching(
        /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
      ),
      metadata: { timestamp: '2026-11-30T00:53:20.000Z', component: { name: 'siptrust', type: 'application' } },
      components: [{ hashes: [{ content: 'a@1' }] }, { 'bom-ref': 'b@2' }],
    });
  });
  test('fail/something else than npm sbom writes', () => {
    expect(() => settledSbom('{"error":{}}', AT)).toThrow('expected metadata.component and components, found error');
  });
});
