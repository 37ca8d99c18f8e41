/** Blocks and routes as the scripts of both proxies write them, as lines; each knows nothing of how deep it stands. */

function indented(lines: readonly string[]): readonly string[] {
  return lines.map((line) => line.replace(/^/gm, '\t'));
}

/** What stands behind `if`, `switch` and the like, in braces. */
export function block(head: string, lines: readonly string[]): readonly string[] {
  return [`${head} {`, ...indented(lines), '}'];
}

export function ifElse(condition: string, yes: readonly string[], no: readonly string[]): readonly string[] {
  return [`if (${condition}) {`, ...indented(yes), ...block('} else', no)];
}

/** What stands in a switch behind `case` and the like. */
export function clause(label: string, lines: readonly string[]): readonly string[] {
  return [`${label}:`, ...indented(lines)];
}

/** A route, and the empty line behind it. */
export function route(name: string, lines: readonly string[]): readonly string[] {
  return [...block(`route[${name}]`, lines), ''];
}
