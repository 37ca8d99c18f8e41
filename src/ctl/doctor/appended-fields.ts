/** Fields that the script of a Kamailio adds to messages itself, which strangers do not get. */

import { type Finding, finding } from './finding.js';
import {
  CALLS_OUT,
  calledFrom,
  callsOut,
  findLine,
  INCLUDE,
  place,
  type ScriptRoute,
  scriptRoutes,
} from './kamailio-script.js';
import { addedFields } from './opensips-script.js';
import { isPrivate } from './private-names.js';
import type { Site } from './site.js';

/** Nobody sees what is appended before the gate out, which sends none of it to strangers. */
export function appended({ script }: Site): readonly Finding[] {
  if (!('value' in script) || findLine(script.value, INCLUDE) === undefined) return [];
  const routes = scriptRoutes(script.value);
  const roots = routes
    .filter(({ kind }) => kind !== 'route')
    .map((root) => ({ root, ways: new Set([root, ...calledFrom(root.body, routes)]) }));
  return routes.flatMap((route) => {
    const from = roots.filter(({ ways }) => ways.has(route)).map(({ root }) => `${root.kind} ${root.name}`);
    const kinds = from.length > 0 ? from : ['request_route '];
    return route.lines.flatMap(
      (_, index) => kinds.map((kind) => appendedIn(kind, route, index)).find((found) => found.length > 0) ?? [],
    );
  });
}

/** What a line adds where a route of this kind (and name) runs it. */
function appendedIn(kind: string, route: ScriptRoute, index: number): readonly Finding[] {
  const at = route.lines[index];
  if (at === undefined) return [];
  const added = addedFields(at.text.replace(/\s*([(,])\s*/g, '$1'));
  return added.flatMap(({ names = [], by }) => {
    const own = by === 'append_to_reply';
    const reply = own || /^(?:on)?reply/.test(kind);
    const gone = names.filter((name) => isPrivate(name, reply ? 'response-out' : 'request-out'));
    if (gone.length === 0 || (!reply && seen(kind, route, index))) return [];
    const unseen = own || kind.endsWith(' tm:local-request');
    const applied = '; or msg_apply_changes() behind it, before record_route(): it is removed for strangers alone';
    const asked =
      '; or in a branch_route, behind route(SIPTRUST_OUT): if ($var(siptrust_p) >= SIPTRUST_P_TRUSTED) before it';
    return [
      finding(
        'note',
        `${place(at)}: what the script adds ${gone.join(', ')} to ${unseen ? 'leaves unseen' : 'is not sent'}, if it goes to strangers`,
        reply || unseen ? 'take it out' : `take it out${kind.startsWith('request_route') ? applied : ''}${asked}`,
      ),
    ];
  });
}

/** In a branch_route, and later, changes are applied too late or not at all; $var(siptrust_p) is the next hop's behind route(SIPTRUST_OUT) alone. */
function seen(kind: string, { lines, body }: ScriptRoute, index: number): boolean {
  const text = (from: number, to?: number) =>
    lines
      .slice(from, to)
      .map((line) => line.text)
      .join('\n');
  if (kind.startsWith('request_route')) {
    const [first = '', ...applied] = text(index).split(/\bmsg_apply_changes\b/);
    return applied.length > 0 && !/\brecord_route/.test(text(0, index) + first);
  }
  const before = text(0, index + 1);
  // (Where another route calls it is not looked at.)
  const asked = callsOut(body) ? before.split(CALLS_OUT).slice(1).join('\n') : before;
  return kind.startsWith('branch_route') && asked.includes('$var(siptrust_p)');
}
