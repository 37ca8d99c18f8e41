/** The commands that have a folder of their own. */

import type { Command } from 'commander';
import { type DoctorContext, doctorCommand } from './doctor/index.js';
import { type EnrolContext, enrolCommands } from './enrol/index.js';
import { fleetCommands } from './fleet/index.js';
import { type ImportContext, importCommands } from './import/index.js';
import { type ProbeContext, probeCommand } from './probe/index.js';

/** @param group finds or makes the command that holds a group of verbs */
export function commandGroups(
  root: Command,
  group: (words: readonly string[]) => Command,
  context: DoctorContext & EnrolContext & ImportContext & ProbeContext,
): void {
  enrolCommands(group(['cert']), context);
  importCommands(group(['import']), context);
  probeCommand(root, context);
  doctorCommand(root, context);
  fleetCommands({ ...context, group });
}
