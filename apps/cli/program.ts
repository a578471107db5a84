import { Command, type OutputConfiguration } from 'commander';
import { chatCommands } from './chats.ts';
import { clockCommands } from './clock.ts';
import type { CliContext } from './context.ts';
import { explainCommand } from './explain.ts';
import { explainers, productCommands } from './modules.ts';
import { keyCommands } from './keys.ts';
import { projectCommands } from './projects.ts';
import { secretCommands } from './secrets.ts';
import { staffCommands } from './staff.ts';

/** `npm run navbat -- …`. Each command ends with code 0, or with one sentence and code 1. */
export function createProgram(context: CliContext, output: OutputConfiguration): Command {
  const program = new Command('navbat')
    .description('projects, keys, staff and secrets of a Navbat installation')
    // Before the commands, which take these over as they are made.
    .configureOutput(output)
    .exitOverride();
  projectCommands(program, context);
  keyCommands(program, context);
  staffCommands(program, context);
  secretCommands(program, context);
  chatCommands(program, context);
  for (const commands of productCommands) commands(program, context);
  explainCommand(program, context, explainers);
  clockCommands(program, context);
  return program;
}
