import { describe, expect, test } from 'vitest';
import { auditProblems } from '../../../../packaging/release/audit.js';

const NOTHING = JSON.stringify({ auditReportVersion: 2, vulnerabilities: {} });
const FOUND = JSON.stringify({
  auditReportVersion: 2,
  vulnerabilities: {
    jayson: { via: ['ws'] },
    ws: { via: [{ title: 'Memory grows', url: 'https://github.com/advisories/GHSA-1111-2222-3333' }] },
  },
});
const REFUSED = JSON.stringify({ message: '405 Method Not Allowed', error: { summary: '', detail: '' } });

describe('npm audit before a release', () => {
  test('ok/no advisory', () => expect(auditProblems(NOTHING, '')).toEqual([]));
  test('ok/one that is explained', () => expect(auditProblems(FOUND, '| GHSA-1111-2222-3333 | ws |')).toEqual([]));
  test('fail/one that is not', () => {
    expect(auditProblems(FOUND, '')).toEqual([
      {
        subject: 'npm audit, ws',
        expected: 'no advisory, or one that docs/dependencies.md explains',
        found: 'GHSA-1111-2222-3333: Memory grows',
        next: expect.stringContaining('npm update ws'),
      },
    ]);
  });
  test.each([
    ['a registry that has none', REFUSED, '405 Method Not Allowed'],
    ['no answer', '', 'nothing'],
    ['no JSON', 'Segmentation fault\n', 'Segmentation fault'],
  ])('fail/%s', (_, output, found) => {
    expect(auditProblems(output, '')).toMatchObject([{ found, next: expect.stringContaining('AUDIT=skip') }]);
  });
});
