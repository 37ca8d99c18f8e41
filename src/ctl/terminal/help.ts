import type { Command } from 'commander';

/** `help policy push`: the one of commander heeds the first word alone. */
export function helpCommand(root: Command): void {
  root
    .helpCommand(false)
    .command('help')
    .description('what a command takes, as in help policy push')
    .argument('[command...]')
    .action((words: readonly string[]) => {
      const found = words.reduce(
        (command, word) =>
          command.commands.find((each) => each.name() === word) ??
          command.error(`error: unknown command '${word}'`, { code: 'commander.unknownCommand' }),
        root,
      );
      found.help();
    });
}
