import type { Command } from 'commander';
import { DeviceId } from '../../domain/identity/device/device.ts';
import { reencryptAll } from '../../domain/staff/secret/reencrypt.ts';
import {
  type CliContext,
  CliError,
  type CliPorts,
  type JsonOption,
  table,
  tell,
  writeAudit,
} from './context.ts';

interface RotateOptions extends JsonOption {
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
    .command('re-encrypt')
    .description(
      're-encrypts every stored secret with the first of ENCRYPTION_KEYS, so that the other keys can be removed',
    )
    .option('--json')
    .action((options: JsonOption) => reencrypt(context, options));
  program
    .command('rotate')
    .description('asks devices to fetch a new secret for their codes; the old one is valid until then')
    .option('--device <id>', 'this one')
    .option('--all', 'all of them')
    .option('--json')
    .action((options: RotateOptions) => rotate(context, options));
}

function tellSecrets(context: CliContext, options: JsonOption): void {
  const secrets = context.newSecrets(context.now());
  // In single quotes, because one of them is JSON.
  tell(context, options, {
    lines: Object.entries(secrets).map(([name, value]) => `${name}='${value}'`),
    json: secrets,
  });
}

function reencrypt(context: CliContext, options: JsonOption): Promise<void> {
  return context.withPorts(async (ports) => {
    const { current } = ports.reencrypting;
    // Many commits: that it began is written before the first, and how it ended after the last.
    await ports.change((changing) =>
      writeAudit(context, changing, 'secrets.re-encrypt', current, { begun: true }),
    );
    const report = await reencryptAll(ports.reencrypting);
    const { left } = report;
    const unreadable = Object.fromEntries(report.unreadable);
    const facts = { reencrypted: Object.fromEntries(report.reencrypted), left, unreadable };
    await ports.change((changing) => writeAudit(context, changing, 'secrets.re-encrypt', current, facts));
    const faults = [
      ...(left.length > 0 ? [leftSentence(left)] : []),
      ...(report.unreadable.size > 0 ? [unreadableSentence(current, report.unreadable)] : []),
    ];
    const rows = [...report.reencrypted].map(([place, count]) => [place, String(count)]);
    tell(context, options, {
      lines: [
        ...table([['re-encrypted', 'values'], ...rows]),
        ...(faults.length === 0
          ? [
              `Every value is encrypted with ${current}. When it is the first key in every running process, remove the others from ENCRYPTION_KEYS.`,
            ]
          : []),
      ],
      json: { current, ...facts },
    });
    if (faults.length > 0) throw new CliError(faults.join(' '));
  });
}

type Report = Awaited<ReturnType<typeof reencryptAll>>;

function leftSentence(left: Report['left']): string {
  const what = left
    .map(({ place, kid, values }) => `${values} in ${place} ${kid === null ? 'are damaged' : `need ${kid}`}`)
    .join(', ');
  return `Some values are not encrypted with the new key: ${what}. Keep these keys in ENCRYPTION_KEYS, restart the processes that still encrypt with them, and run this again.`;
}

function unreadableSentence(current: string, unreadable: Report['unreadable']): string {
  const what = [...unreadable].map(([place, values]) => `${values} in ${place}`).join(', ');
  return `Some values name ${current} and can't be opened with it: ${what}. If ${current} in ENCRYPTION_KEYS is not the key that this database was written with, put that one back; else these values are damaged.`;
}

function rotate(context: CliContext, { device, all, ...options }: RotateOptions): Promise<void> {
  if ((device === undefined) === (all === undefined)) throw new CliError('Expected --device <id> or --all.');
  const deviceId = device === undefined ? null : DeviceId.safeParse(device).data;
  if (deviceId === undefined) throw new CliError('--device: expected the id of a device.');
  return context.withPorts(async (ports) => {
    if (deviceId !== null && !(await ports.rotations.isBound(deviceId)))
      throw new CliError('There is no bound device of this id.');
    const audit = (facts: Readonly<Record<string, unknown>>) =>
      ports.change((changing) => writeAudit(context, changing, 'device.rotate', deviceId ?? 'all', facts));
    await audit({ begun: true });
    const asked = await askAll(context, ports, deviceId);
    await audit(asked);
    const waiting = await ports.rotations.waiting();
    tell(context, options, {
      lines: [
        `asked         ${asked.apps} apps, ${asked.authenticators} authenticators`,
        `not yet done  ${waiting}, apps when they are opened, authenticators when they are replaced`,
      ],
      json: { ...asked, waiting },
    });
  });
}

async function askAll({ now }: CliContext, { rotations }: CliPorts, deviceId: DeviceId | null) {
  const asked = { apps: 0, authenticators: 0 };
  for (;;) {
    const { apps, authenticators } = await rotations.ask(deviceId, now());
    if (apps + authenticators === 0) return asked;
    asked.apps += apps;
    asked.authenticators += authenticators;
  }
}
