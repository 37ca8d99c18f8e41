import { describe, expect, test } from 'vitest';
import { appended } from '../../../../src/ctl/doctor/appended-fields.js';
import { scriptLines } from '../../../../src/ctl/doctor/kamailio-script.js';
import type { Site } from '../../../../src/ctl/doctor/site.js';
import { cpuTime, reaches } from '../../../support/cpu-time.js';

const HINT = '  append_hf("X-Hint: x\\r\\n");';
const APPLIED = '  msg_apply_changes();';

function told(...lines: readonly string[]): readonly string[] {
  const script = { value: scriptLines('k.cfg', ['include_file "/x/siptrust.cfg"', ...lines].join('\n')) };
  return appended({ script } as Partial<Site> as Site).map(({ found }) => found);
}

describe('what a script adds', () => {
  test.each([
    ['request_route', [APPLIED, '  record_route();']],
    ['branch_route[A]', [], ['  if ($var(siptrust_p) >= SIPTRUST_P_TRUSTED)']],
    ['branch_route[A]', [], ['  route(SIPTRUST_OUT);', '  if ($var(siptrust_p) >= SIPTRUST_P_TRUSTED)']],
    ['route[NOBODY_CALLS_IT]', [APPLIED]],
  ])('ok/%s: siptrust sees it (%#)', (head, after: readonly string[], before: readonly string[] = []) => {
    expect(told(`${head} {`, ...before, HINT, ...after, '}')).toEqual([]);
  });
  test.each([
    ['request_route', []],
    ['request_route', ['  record_route();', APPLIED]],
    ['request_route', [], [APPLIED]],
    ['request_route', [APPLIED], ['  record_route();']],
    ['branch_route[A]', [], ['  if ($var(siptrust_p) >= SIPTRUST_P_TRUSTED) {}', '  route(SIPTRUST_OUT);']],
    ['branch_route[A]', ['  route(SIPTRUST_OUT);'], ['  if ($var(siptrust_p) >= SIPTRUST_P_TRUSTED)']],
    ['failure_route[A]', [APPLIED]],
    ['reply_route', [APPLIED]],
    ['event_route[tm:local-request]', [APPLIED]],
  ])('fail/%s: nobody sees it (%#)', (head, after: readonly string[], before: readonly string[] = []) => {
    expect(told(`${head} {`, ...before, HINT, ...after, '}')).toEqual([
      expect.stringMatching(/X-Hint to (?:is not|leaves)/),
    ]);
  });
  test.each([
    ['add_diversion("unconditional");', 'Diversion'],
    ['sip_p_charging_vector("g");', 'P-Charging-Vector'],
    ['sip_p_charging_vector("rF");', 'P-Charging-Vector'],
    ['append_rpid_hf();', 'Remote-Party-ID'],
    ['add_path_received("edge");', 'Path'],
  ])('fail/what a module adds: %s', (line, field) => {
    expect(told('request_route {', line, '}')).toEqual([expect.stringContaining(`${field} to is not sent`)]);
    expect(told('request_route {', line, APPLIED, '}')).toEqual([]);
  });
  test.each([
    ['subst_hf("P-Asserted-Identity", "/0([0-9]+)/49\\1/", "a");', 'P-Asserted-Identity'],
    ['assign_hf_value2("Remote-Party-ID[*].screen", "no");', 'Remote-Party-ID'],
    ['append_hf_value("X-Hint", "1");', 'X-Hint'],
    ["subst('/^Diversion: (.*)$/Diversion: <sip:x@a.example>/i');", 'Diversion'],
    ['replace_hdrs("P-Charging-Vector: ", "P-Charging-Vector: x");', 'P-Charging-Vector'],
  ])('fail/what it writes into a private field: %s', (line, field) => {
    expect(told('request_route {', line, '}')).toEqual([expect.stringContaining(`${field} to is not sent`)]);
    expect(told('request_route {', line, APPLIED, '}')).toEqual([]);
  });
  test.each(['subst_hf("Supported", "/100rel//", "a");', 'subst_user("/^0/49/");', 'replace_body("Reason", "x");'])(
    'ok/what it writes elsewhere: %s',
    (line) => {
      expect(told('request_route {', line, '}')).toEqual([]);
    },
  );
  test('fail/a Route that it takes out, which a plan would bring back', () => {
    const gone = '  if (is_present_hf("Route")) { remove_hf("Route");';
    expect(told('request_route {', 'remove_hf("Route");', '  record_route();', '}')).toEqual([
      expect.stringContaining('k.cfg:3: a Route that remove_hf() takes out comes back'),
    ]);
    expect(told('request_route {', `${gone} msg_apply_changes(); }`, '  record_route();', '}')).toEqual([]);
    expect(told('request_route {', 'remove_hf("Subject");', '}', 'branch_route[A] {', gone, '}')).toEqual([]);
  });
  test("ok/what strangers may have, in spite of the 'P-' that it begins with: Debian's kamailio.cfg adds it", () => {
    expect(told('request_route {', 'append_hf("P-Hint: outbound\\r\\n");', '}')).toEqual([]);
    expect(told('request_route {', 'append_hf("P-Hinted: outbound\\r\\n");', '}')).toHaveLength(1);
  });
  test('ok/what a module takes out', () => {
    expect(told('request_route {', 'sip_p_charging_vector("r");', '}')).toEqual([]);
  });
  test('fail/in a route that others call, one after the other', () => {
    const routes = Array.from({ length: 20_000 }, (_, at) => `route[R${at}] {\nroute(R${at + 1});\n}`);
    expect(
      told('failure_route[A] {', 'route(R0);', '}', ...routes, 'route[R20000] {', HINT, APPLIED, '}'),
    ).toHaveLength(1);
  });

  test.each([
    ['lines of one route', (count: number) => ['request_route {', ...Array(count).fill(HINT), '}']],
    [
      'lines of a branch_route',
      (count: number) => ['branch_route[A] {', 'route(SIPTRUST_OUT);', ...Array(count).fill(HINT), '}'],
    ],
    [
      'routes',
      (count: number) => Array.from({ length: count }, (_, at) => `route[R${at}] {\n${HINT}\nroute(R${at + 1});\n}`),
    ],
    [
      'routes that call one of as many lines',
      (count: number) => [
        ...Array.from({ length: count }, (_, at) => `failure_route[R${at}] {\nroute(X);\n}`),
        ...['route[X] {', ...Array(count).fill(HINT), '}'],
      ],
    ],
  ])('ok/%s cost as much as there are', (_, made) => {
    const [few, many] = [made(500), made(4000)];
    const times = () => cpuTime(() => told(...many)) / cpuTime(() => told(...few));
    expect(reaches(24, times)).toBeLessThanOrEqual(24);
  });
});
