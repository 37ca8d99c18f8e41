/** Completion for bash, out of the command table. */

import type { Command } from 'commander';
import { leaves } from './manual.js';

interface Place {
  readonly next: readonly string[];
  readonly options: readonly string[];
}

/** A script for /usr/share/bash-completion/completions/siptrustctl. */
export function bashCompletion(program: Command): string {
  const global = optionsOf(program);
  const places = new Map<string, Place>();
  const walk = (command: Command, words: string): void => {
    places.set(words, { next: command.commands.map((each) => each.name()), options: optionsOf(command) });
    for (const each of command.commands) walk(each, `${words} ${each.name()}`.trim());
  };
  walk(program, '');
  const cases = [...places].flatMap(([words, { next, options }]) => [
    `    '${words}') words='${[...next, ...options].join(' ')}' ;;`,
    // Behind the words of a command stand arguments, files mostly, and values of options.
    ...(next.length === 0
      ? [`    '${words} '*) if [[ $current == -* ]]; then words='${options.join(' ')}'; fi ;;`]
      : []),
  ]);
  return `# bash completion for siptrustctl: ${leaves(program).length} commands. Made by siptrust's packaging/completion.ts.

_siptrustctl() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]} place='' word words='' at
  for ((at = 1; at < COMP_CWORD; at++)); do
    word=\${COMP_WORDS[at]}
    case $word in
    ${valued(program).join(' | ')}) ((at++)) ;;
    -*) ;;
    *) place="\${place:+$place }$word" ;;
    esac
  done
  case $previous in
  --config | --socket | --decisions | --state | --against | --out | --key | --existing-key)
    mapfile -t COMPREPLY < <(compgen -f -- "$current")
    return
    ;;
  esac
  case $place in
${cases.join('\n')}
  esac
  if [[ $current == -* ]]; then words="$words ${global.join(' ')}"; fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
  if [[ \${#COMPREPLY[@]} -eq 0 ]]; then mapfile -t COMPREPLY < <(compgen -f -- "$current"); fi
}
complete -o filenames -F _siptrustctl siptrustctl
`;
}

function optionsOf(command: Command): readonly string[] {
  return command.options.map(({ long, short }) => long ?? short ?? '').filter((name) => name !== '');
}

/** Options of the program itself that take a value: the word after them is no command. */
function valued(program: Command): readonly string[] {
  return program.options.filter(({ required, optional }) => required || optional).map(({ long }) => long ?? '');
}
