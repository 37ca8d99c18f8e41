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

/** cscf.cfg with siptrust that forgets each verdict at once: one question for each message that can be asked about. */
export function forgetfulScript(directory: string): string {
  const forget = `request_route {
	if ($avp(siptrust_judged) == $null) {
		$var(forget) = $_s($conid);
		$sht(siptrust=>$var(forget)) = $null;
	}
`;
  const text = replaced(sample('cscf.cfg'), 'request_route {\n', forget);
  return written(directory, 'forgetful.cfg', included(text));
}

/** The plugin is included by its full path: the script stands elsewhere. */
function included(text: string): string {
  return text.replaceAll('include_file "../plugin/', () => `include_file "${join(ROOT, 'plugin/')}`);
}

/** cscf.cfg with siptrust that looks the verdict up and does nothing about headers: what the look-up alone costs. */
export function lookupScript(directory: string): string {
  const lookup = `	if ($avp(siptrust_judged) == $null) {
		$var(siptrust_at) = "start";
		route(SIPTRUST_LOOKUP);
	}
	if ($avp(siptrust_judged) != $null || $var(siptrust_known) == 0) {
		route(SIPTRUST_IN);
	}
`;
  const text = replaced(sample('cscf.cfg'), '\troute(SIPTRUST_IN);\n', lookup);
  return written(directory, 'lookup.cfg', replaced(included(text), '\troute(SIPTRUST_REPLY);\n', '\treturn;\n'));
}

/** edge.cfg that sends each call to where its X-Next-Hop says. */
export function anywhereEdge(directory: string): string {
  const route = '$du = $hdr(X-Next-Hop);\n\tremove_hf("X-Next-Hop");';
  return written(directory, 'anywhere.cfg', replaced(sample('edge.cfg'), '$du = NEXT_HOP;', route));
}
