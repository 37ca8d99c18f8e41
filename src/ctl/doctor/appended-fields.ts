/** Fields that the script of a Kamailio adds to messages itself, which strangers do not get. */

import { type Finding, finding } from './finding.js';
import {
  CALLS_OUT,
  callsOf,
  findLine,
  INCLUDE,
  modparam,
  place,
  type ScriptLine,
  type ScriptRoute,
  scriptRoutes,
} from './kamailio-script.js';
import { addedFields } from './opensips-script.js';
import { isPrivate } from './private-names.js';
import type { Site } from './site.js';

/** Nobody sees what is appended before the gate out, which sends none of it to strangers. */
export function appended({ script }: Site): readonly Finding[] {
  if (!('value' in script) || findLine(script.value, INCLUDE) === undefined) return [];
  const anew = findLine(script.value, PV_HEADERS);
  const automatic = anew !== undefined && script.value.every(({ text }) => AUTO_MSG.exec(text)?.groups?.word !== '0');
  const routes = scriptRoutes(script.value);
  const called = callsOf(routes);
  const ways = new Map(routes.map((route) => [route, new Set<string>()]));
  for (const root of routes) {
    if (root.kind === 'route') continue;
    for (const route of [root, ...called(root.body)]) ways.get(route)?.add(kindOf(root));
  }
  const rewritten = automatic
    ? [
        finding(
          'outage',
          `${place(anew)}: module pv_headers writes all fields anew behind siptrust: what has to be cleaned is not sent`,
          'modparam("pv_headers", "auto_msg", 0)',
        ),
      ]
    : [];
  const byRoutes = [...ways].flatMap(([route, from]) => {
    const kinds = from.size > 0 ? [...from] : ['request_route'];
    const seen = seenIn(route);
    // (Debian's NATMANAGE writes Contact of answers alone, which are changed at once.)
    const answers = route.lines.findIndex(({ text }) => /\bis_reply\b/.test(text));
    return route.lines.flatMap(
      (at, index) =>
        kinds
          .map((kind) => appendedIn(kind, at, seen(kind, index), answers >= 0 && answers < index))
          .find((found) => found.length > 0) ?? [],
    );
  });
  return [...rewritten, ...byRoutes];
}

/** Its default is 1. */
const AUTO_MSG = modparam('pv_headers', 'auto_msg');
const PV_HEADERS = /^loadmodulex?[\s(]*["'](?:[^"']*\/)?pv_headers(?:\.so)?["']/;

/** How its messages leave. */
function kindOf({ kind, name }: ScriptRoute): string {
  return kind === 'event_route' && name === LOCAL ? LOCAL : kind;
}

const LOCAL = 'tm:local-request';
const REPLACED =
  /\b(?:uac_replace_(?:from|to)|((?:fix_nated|add|set|encode)_contact(?:_alias)?|contact_param_(?:encode(?:_alias)?|rm)))(?=\s*\()/;

/** Functions of modules, by what they add. */
const ADDING: readonly (readonly [call: RegExp, field: string])[] = [
  [/\badd_diversion\(/, 'Diversion'],
  [/\bsip_p_charging_vector\("[^"]*[gf]/i, 'P-Charging-Vector'],
  [/\bappend_rpid_hf\(/, 'Remote-Party-ID'],
  [/\badd_path(?:_received)?\(/, 'Path'],
];

/** Functions that write into a row, by its name, or over what an expression finds that begins with one. */
const WRITING =
  /\b(?:subst_hf|(?:append|insert|assign|include)_hf_value2?)\("([-\w]+)|\b(?:subst(?:_v)?|replace(?:_all|_hdrs|_str)?)\(["']\/?\^?\(?([-A-Za-z]+)|\$x_hdr\(([-\w]+)\)\s*=(?![=~])/g;

/** What a line adds, or replaces, where a route of this kind runs it. @param seen whether siptrust takes it out for strangers @param answers whether it asks for them before */
function appendedIn(kind: string, at: ScriptLine, seen: boolean, answers: boolean): readonly Finding[] {
  const [replaced, contact] = REPLACED.exec(at.text) ?? [];
  if (replaced !== undefined && !seen && (contact === undefined || (kind === 'request_route' && !answers))) {
    const anew =
      contact === undefined ? 'From or To anew (;cpc= in it)' : 'Contact anew (+sip.instance or gr of a handset in it)';
    return [
      finding(
        'risk',
        `${place(at)}: where siptrustd writes ${anew}, what ${replaced}() takes out comes back, in a message that is malformed, and not sent to strangers`,
        `${contact === undefined ? 'in the request_route, ' : ''}msg_apply_changes() behind it, before record_route()`,
      ),
    ];
  }
  const text = at.text.replace(/\s*([(,])\s*/g, '$1');
  if (kind === 'request_route' && !seen && /\bremove_hf\("Route"\)/i.test(text)) {
    const found = `${place(at)}: a Route that remove_hf() takes out comes back, where siptrustd writes it anew (;cpc= in it)`;
    return [finding('note', found, 'if (is_present_hf("Route")) { remove_hf("Route"); msg_apply_changes(); }')];
  }
  if (/\bpvh_apply_headers\(/.test(text)) {
    const found = `${place(at)}: what pvh_apply_headers() writes back is not sent, if it goes to strangers`;
    return [finding('note', found, 'take it out: append_hf(), remove_hf()')];
  }
  const byModules = ADDING.filter(([call]) => call.test(text)).map(([, field]) => ({
    names: [field],
    by: 'append_hf',
  }));
  const written = [...text.matchAll(WRITING)].map(([, row = '', found = row, named = found]) => ({
    names: [named],
    by: 'append_hf',
  }));
  return [...addedFields(text), ...byModules, ...written].flatMap(({ names = [], by }) => {
    const own = by === 'append_to_reply';
    const reply = own || /^(?:on)?reply/.test(kind);
    const gone = names.filter((name) => isPrivate(name, reply ? 'response-out' : 'request-out'));
    if (gone.length === 0 || (!reply && seen)) return [];
    const unseen = own || kind === LOCAL;
    const applied = '; or msg_apply_changes() behind it, before record_route(): it is removed for strangers alone';
    const asked =
      '; or in a branch_route, behind route(SIPTRUST_OUT): if ($var(siptrust_p) >= SIPTRUST_P_TRUSTED) before it';
    return [
      finding(
        'note',
        `${place(at)}: what the script adds ${gone.join(', ')} to ${unseen ? 'leaves unseen' : 'is not sent'}, if it goes to strangers`,
        reply || unseen ? 'take it out' : `take it out${kind === 'request_route' ? applied : ''}${asked}`,
      ),
    ];
  });
}

const ASKED = '$var(siptrust_p)';

/**
 * Whether siptrust sees what a line adds. In a branch_route, and later, changes are applied too late or not at all;
 * $var(siptrust_p) is the next hop's behind route(SIPTRUST_OUT) alone. The body is looked at once.
 */
function seenIn({ lines, body }: ScriptRoute): (kind: string, index: number) => boolean {
  let end = -1;
  const ends = lines.map(({ text }) => {
    end += text.length + 1;
    return end;
  });
  const [unrecorded = ''] = body.split(/\brecord_route/, 1);
  const applied = [...unrecorded.matchAll(/\bmsg_apply_changes\b/g)].at(-1)?.index ?? -1;
  // (Where another route calls it is not looked at.)
  const out = CALLS_OUT.exec(body);
  const asked = body.indexOf(ASKED, out === null ? 0 : out.index + out[0].length);
  return (kind, index) => {
    const [from, to] = [ends[index - 1] ?? 0, ends[index] ?? 0];
    if (kind === 'request_route') return applied >= from;
    return kind === 'branch_route' && asked >= 0 && asked + ASKED.length <= to;
  };
}
