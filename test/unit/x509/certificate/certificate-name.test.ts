import { describe, expect, it } from 'vitest';
import { certificateName } from '../../../../src/x509/certificate/certificate-name.js';
import { ext, leaf, root } from '../../../support/certificates.js';

const issuer = root({ subject: 'CN=Root' });

describe('certificateName', () => {
  it.each([
    [
      'the subject',
      { subject: 'O=B,CN=sbc', extensions: { altNames: ext.altNames([{ dns: 'b.example' }]) } },
      'CN=sbc,O=B',
    ],
    [
      'the first alternative name, where a public CA leaves the subject empty',
      { subject: '', extensions: { altNames: ext.altNames([{ dns: 'b.example' }, { dns: 'c.example' }], true) } },
      'dns:b.example',
    ],
    ['neither', { subject: '', extensions: { altNames: undefined } }, '(empty name)'],
  ])('ok/%s', (_, spec, name) => expect(certificateName(leaf(issuer, spec).facts)).toBe(name));
});
