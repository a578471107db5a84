import type { Command } from 'commander';
import { reportsAddress } from '../../../infra/process/reports-address.ts';
import { type CliContext, CliError, type JsonOption, tell } from '../context.ts';

export function smsCommands(program: Command, context: CliContext): void {
  program
    .command('sms-reports-address')
    .description('the address to agree with Play Mobile, to which it posts its delivery reports')
    .option('--json')
    .action((options: JsonOption) =>
      context.withPorts(async ({ config }) => {
        if (!config.PLAY_MOBILE_PASSWORD)
          throw new CliError('PLAY_MOBILE_PASSWORD is not set: the address is made of it.');
        const address = reportsAddress(config.PUBLIC_URL, config.PLAY_MOBILE_PASSWORD);
        tell(context, options, { lines: [address], json: { address } });
      }),
    );
}
