import { describe, expect, test } from 'vitest';
import { parseAddress } from '../../../../src/net/address/index.js';
import { withdrawInSteps } from '../../../../src/policy/fleet/withdraw.js';
import { atOnce } from '../../../../src/x509/der/index.js';
import { compile, compiled } from '../fixtures.js';

const { snapshot } = compiled(
  compile(`own_domains: [a.example]
interfaces: [{name: za, listen: "10.0.0.1:5062", mechanism: nds-ip, implicit_trust: true}]
agreements:
  - {name: op-b, domains: [b.example], mechanism: tls, anchors: [ca.pem], targets: ["192.0.2.7:5061"]}
  - {name: op-c, domains: [c.example], mechanism: nds-ip, interface: za, sources: [192.0.2.0/28]}
  - {name: op-d, domains: [d.example], mechanism: nds-ip, interface: za, sources: [192.0.2.16/28]}
`),
);

function source(text: string, of = snapshot) {
  const address = parseAddress(text);
  return address && of.sources.get('za')?.lookup(address);
}

describe('agreements that the fleet has disabled', () => {
  test('ok/are disabled wherever they are looked up, and the others are as they were', () => {
    const next = atOnce(withdrawInSteps(snapshot, ['op-b', 'op-c', 'op-x']));
    expect([...next.agreements].map(({ enabled }) => enabled)).toEqual([false, false, true]);
    expect(next.byDomain.get('b.example')?.enabled).toBe(false);
    expect(next.byTarget.get('192.0.2.7 5061')?.enabled).toBe(false);
    expect(source('192.0.2.1', next)).toBe(next.agreements.at(1));
    expect(source('192.0.2.17', next)).toBe(next.agreements.at(2));
    expect(next.agreements.at(2)).toEqual(snapshot.agreements.at(2));
    expect(source('192.0.2.1')?.enabled).toBe(true);
    expect(Object.isFrozen(next)).toBe(true);
  });
  test('ok/a name that is there twice', () => {
    const next = atOnce(withdrawInSteps(snapshot, ['op-b', 'op-c', 'op-b']));
    expect([...next.agreements].map(({ enabled }) => enabled)).toEqual([false, false, true]);
    expect(atOnce(withdrawInSteps(next, ['op-b']))).toBe(next);
  });
  test('ok/without any that is there it is the same policy', () => {
    expect(atOnce(withdrawInSteps(snapshot, ['op-x']))).toBe(snapshot);
  });
});
