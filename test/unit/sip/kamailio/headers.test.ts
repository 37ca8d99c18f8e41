import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { NOBODY } from '../../../../src/sip/edit/anonymous.js';
import { folded } from '../../../../src/sip/kamailio/groups.js';
import { kamailioInclude, keptNames } from '../../../../src/sip/kamailio/headers.js';
import { kamailioPass } from '../../../../src/sip/kamailio/pass.js';
import { PROFILES } from '../../../../src/sip/table/profiles.js';
import { HOOKS } from '../../../../src/sip/table/rules.js';

describe('the Kamailio include', () => {
  it('ok/no pattern is empty: an empty one removes every header field', () => {
    for (const profile of PROFILES) {
      for (const hook of HOOKS) {
        expect(profile.hooks[hook].remove.length).toBeGreaterThan(0);
      }
    }
    expect(kamailioInclude()).not.toMatch(/keep_hf\("(\^\$)?"\)/);
  });

  it('fail/the gate out looks at the bytes that leave, and at nothing that the script has made of them', () => {
    const read = kamailioPass().match(/\$(var|snd|avp|shv)?\([^)]*\)+(?= *=~)/g) ?? [];
    expect(read.length).toBeGreaterThan(10);
    for (const each of read) expect(each).toBe('$snd(buf)');
  });

  it('ok/a long expression is broken between two of its atoms, never within an escape', () => {
    const atoms = ['(?:\\xc2', '(?!\\x85)', '|\\xe2)', '[a-z]*+'];
    const lines = folded(atoms.join('').repeat(60));
    expect(lines.length).toBeGreaterThan(2);
    for (const line of lines.slice(0, -1)) expect(line).not.toMatch(/\\(x[0-9a-f]?)?\[$/);
  });

  it.each([
    ['kamailio/siptrust-in.cfg', /"([a-z.,]+),"/],
    ['opensips/siptrust.cfg', /"\^\(([a-z|]+)\)\[\.\]invalid\$"/],
  ])('ok/%s names the hosts of nobody as the table does', (name, hosts) => {
    const file = new URL(`../../../../plugin/${name}`, import.meta.url);
    const named = hosts.exec(readFileSync(file, 'utf8'))?.[1] ?? '';
    const found = named.split(/[,|]/).map((host) => `${host.replace('.invalid', '')}.invalid`);
    expect(found).toEqual([...NOBODY]);
  });

  it.each([
    ['P-Asserted-Identity', ['P-Asserted-Identity', 'P-*', 'Reason'], false],
    ['p-x', ['P-*'], false],
    ['p', ['P-*'], true],
    ['Reason', ['P-*', 'Reason'], false],
    ['Reasons', ['P-*', 'Reason'], true],
    ['Reas', ['P-*', 'Reason'], true],
    ['From', ['P-*', 'Reason'], true],
  ])('ok/%s, of %j: stays is %s', (name, names, stays) => {
    expect(new RegExp(keptNames(names), 'i').test(name)).toBe(stays);
  });
});
