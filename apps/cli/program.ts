import { Command } from 'commander';
import { type CliContext, type JsonOption, tell } from './context.ts';
import { keyCommands } from './keys.ts';
import { projectCommands } from './projects.ts';
import { staffCommands } from './staff.ts';

/** `npm run navbat -- …`. Each command ends with code 0, or with one sentence and code 1. */
export function createProgram(context: CliContext): Command {
  const program = new Command('navbat').description('projects, keys and staff of a Navbat installation');
  projectCommands(program, context);
  keyCommands(program, context);
  staffCommands(program, context);
  program
    .command('secrets')
    .description('fresh secrets, as lines for a .env file')
    .option('--json')
    .action((options: JsonOption) => {
      const secrets = context.newSecrets(context.now());
      // In single quotes, because one of them is JSON.
      tell(context, options, {
        lines: Object.entries(secrets).map(([name, value]) => `${name}='${value}'`),
        json: secrets,
      });
    });
  return program;
}
