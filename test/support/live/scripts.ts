/** Variants of the sample proxy for measurements: what a network would run instead of siptrust, or beside it. */

import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { textWithout } from './plain-script.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const sample = (name: string) => readFileSync(join(ROOT, 'kamailio-cfg', name), 'utf8');

function replaced(text: string, what: string, by: string): string {
  if (text.split(what).length !== 2) throw new Error(`expected once in the sample: ${what}`);
  return text.replace(what, () => by);
}

/** Writes a script, and gives its path below the repository. */
function written(directory: string, name: string, text: string): string {
  const file = join(directory, name);
  writeFileSync(file, text);
  return relative(ROOT, file);
}

/**
 * cscf.cfg without siptrust, with Kamailio's own permissions module: sources that stand in `addresses` keep their private headers, all
 * others lose them. Counts what it trusts in the statistic `listed`.
 */
export function addressListScript(directory: string, addresses: string, entries: number): string {
  const modules = [
    'loadmodule "textopsx.so"',
    'loadmodule "permissions.so"',
    'loadmodule "statistics.so"',
    'modparam("statistics", "variable", "listed")',
    `modparam("permissions", "address_file", "${addresses}")`,
    `modparam("permissions", "max_subnets", ${Math.max(entries + 1, 512)})`,
  ].join('\n');
  const check = `request_route {
	if (allow_source_address("1")) {
		update_stat("listed", "+1");
	} else {
		remove_hf_re("^(P-Asserted-Identity|P-Charging-Vector|P-Access-Network-Info|Privacy)$");
	}
`;
  const text = replaced(textWithout(), 'loadmodule "textopsx.so"', modules);
  return written(directory, `${basename(addresses)}.cfg`, replaced(text, 'request_route {\n', check));
}

/** cscf.cfg with siptrust that forgets each verdict at once: one question for each message that comes over TLS. */
export function forgetfulScript(directory: string): string {
  const include = 'include_file "../plugin/kamailio/siptrust.cfg"\n';
  const forget = `#!define SIPTRUST_OWN_PRE_ROUTING
${include}
event_route[core:pre-routing] {
	if (proto == TLS) {
		$sht(siptrust=>$conid) = $null;
	}
	route(SIPTRUST_GATE_IN);
}
`;
  return written(directory, 'forgetful.cfg', included(replaced(sample('cscf.cfg'), include, forget)));
}

/** The plugin is included by its full path: the script stands elsewhere. */
function included(text: string): string {
  return text.replaceAll('include_file "../plugin/', () => `include_file "${join(ROOT, 'plugin/')}`);
}

/** edge.cfg that sends each call to where its X-Next-Hop says. */
export function anywhereEdge(directory: string): string {
  const route = '$du = $hdr(X-Next-Hop);\n\tremove_hf("X-Next-Hop");';
  return written(directory, 'anywhere.cfg', replaced(sample('edge.cfg'), '$du = NEXT_HOP;', route));
}
