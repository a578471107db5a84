import type { Command } from 'commander';
import { DeviceId } from '../../domain/identity/device/device.ts';
import { rewrapAll } from '../../domain/staff/secret/reencrypt.ts';
import {
  type CliContext,
  CliError,
  type CliPorts,
  type JsonOption,
  table,
  tell,
  writeAudit,
} from './context.ts';

interface ReseedOptions extends JsonOption {
  readonly device?: string;
  readonly all?: boolean;
}

export function secretCommands(program: Command, context: CliContext): void {
  program
    .command('secrets')
    .description('fresh secrets, as lines for a .env file')
    .option('--json')
    .action((options: JsonOption) => tellSecrets(context, options));
  program
    .command('rewrap')
    .description('seals everything anew under the first of SEAL_KEYS, so that the others can be taken out')
    .option('--json')
    .action((options: JsonOption) => rewrap(context, options));
  program
    .command('reseed')
    .description('asks devices to fetch a new secret for their codes; the old one counts until they have')
    .option('--device <id>', 'this one')
    .option('--all', 'all of them')
    .option('--json')
    .action((options: ReseedOptions) => reseed(context, options));
}

function tellSecrets(context: CliContext, options: JsonOption): void {
  const secrets = context.newSecrets(context.now());
  // In single quotes, because one of them is JSON.
  tell(context, options, {
    lines: Object.entries(secrets).map(([name, value]) => `${name}='${value}'`),
    json: secrets,
  });
}

function rewrap(context: CliContext, options: JsonOption): Promise<void> {
  return context.withPorts(async (ports) => {
    const { current } = ports.rewrapping;
    const { rewrapped, left } = await rewrapAll(ports.rewrapping);
    const counts = Object.fromEntries(rewrapped);
    await writeAudit(context, ports, 'secrets.rewrap', current, { rewrapped: counts, left });
    const rows = [...rewrapped].map(([place, count]) => [place, String(count)]);
    tell(context, options, {
      lines: [
        ...table([['sealed anew', 'values'], ...rows]),
        ...(left.length === 0
          ? [
              `Nothing needs another key than ${current}: once no running process has another one first, the others may leave SEAL_KEYS.`,
            ]
          : []),
      ],
      json: { current, rewrapped: counts, left },
    });
    if (left.length > 0) throw new CliError(leftSentence(left));
  });
}

function leftSentence(left: Awaited<ReturnType<typeof rewrapAll>>['left']): string {
  const what = left.map(({ place, kid, values }) => `${values} in ${place} need ${kid}`).join(', ');
  return `Not everything is under the new key: ${what}. Keep these keys in SEAL_KEYS, restart whatever still seals with them, and run this again.`;
}

function reseed(context: CliContext, { device, all, ...options }: ReseedOptions): Promise<void> {
  if ((device === undefined) === (all === undefined)) throw new CliError('Expected --device <id> or --all.');
  const deviceId = device === undefined ? null : DeviceId.safeParse(device).data;
  if (deviceId === undefined) throw new CliError('--device: expected the id of a device.');
  return context.withPorts(async (ports) => {
    if (deviceId !== null && !(await ports.reseeds.isBound(deviceId)))
      throw new CliError('There is no bound device of this id.');
    const asked = await askAll(context, ports, deviceId);
    await writeAudit(context, ports, 'device.reseed', deviceId ?? 'all', asked);
    const waiting = await ports.reseeds.waiting();
    tell(context, options, {
      lines: [
        `asked         ${asked.apps} apps, ${asked.authenticators} authenticators`,
        `not yet done  ${waiting}, apps when they are opened, authenticators when they are replaced`,
      ],
      json: { ...asked, waiting },
    });
  });
}

async function askAll({ now }: CliContext, { reseeds }: CliPorts, deviceId: DeviceId | null) {
  const asked = { apps: 0, authenticators: 0 };
  for (;;) {
    const { apps, authenticators } = await reseeds.ask(deviceId, now());
    if (apps + authenticators === 0) return asked;
    asked.apps += apps;
    asked.authenticators += authenticators;
  }
}
