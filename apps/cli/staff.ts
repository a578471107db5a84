import { type Command, Option } from 'commander';
import { z } from 'zod';
import { type StaffRole, staffRoles } from '../../domain/staff/role.ts';
import { type CliContext, CliError, day, type JsonOption, table, tell, writeAudit } from './context.ts';

/** ASVS 5 6.2.1: eight at least, fifteen recommended; ours guard queues and money. */
const PASSWORD_MIN = 15;
/** Argon2 takes any length; a limit keeps a mistaken pipe from being hashed. */
const PASSWORD_MAX = 256;

interface NewStaffOptions extends JsonOption {
  readonly role: StaffRole;
  readonly passwordStdin?: boolean;
}

export function staffCommands(program: Command, context: CliContext): void {
  const staff = program.command('staff').description('logins of the board and of /ops');
  staff
    .command('create <email>')
    .description(
      'makes a login; its password is generated and shown this once, unless it comes on standard input',
    )
    .addOption(new Option('--role <role>').choices([...staffRoles]).makeOptionMandatory())
    .option('--password-stdin', 'read the password from standard input')
    .option('--json')
    .action((email: string, options: NewStaffOptions) => createStaff(context, email, options));
  staff
    .command('list')
    .description('all logins')
    .option('--json')
    .action((options: JsonOption) => listStaff(context, options));
  staff
    .command('disable <email>')
    .description('ends the sessions of a login and refuses it from now on')
    .option('--json')
    .action((email: string, options: JsonOption) => disableStaff(context, email, options));
  staff
    .command('reset-second-factor <email>')
    .description(
      'for a person who lost the authenticator and the recovery codes: ends the sessions and removes the passkeys; the next login sets up a new one',
    )
    .option('--json')
    .action((email: string, options: JsonOption) => resetSecondFactor(context, email, options));
  staff
    .command('unlock <email>')
    .description('resets its wrong passwords and codes, so that the person can log in immediately')
    .option('--json')
    .action((email: string, options: JsonOption) => unlockStaff(context, email, options));
}

async function unlockStaff(context: CliContext, email: string, options: JsonOption): Promise<void> {
  await context.withPorts(async (ports) => {
    await ports.change(async (changing) => {
      const unlocked = await changing.staff.unlock(email);
      if (!unlocked) throw new CliError(`There is no login ${email}.`);
      await writeAudit(context, changing, 'staff.unlock', email.toLowerCase());
    });
    tell(context, options, { lines: [`${email} may log in again`], json: { email, unlocked: true } });
  });
}

async function createStaff(context: CliContext, email: string, options: NewStaffOptions): Promise<void> {
  if (!z.email().safeParse(email).success) throw new CliError(`${email}: expected an email address.`);
  const given = options.passwordStdin ? (await context.readStdin()).replace(/\r?\n$/, '') : undefined;
  if (given !== undefined && (given.length < PASSWORD_MIN || given.length > PASSWORD_MAX))
    throw new CliError(`Password: expected ${PASSWORD_MIN} to ${PASSWORD_MAX} characters.`);
  const password = given ?? context.random();

  await context.withPorts(async (ports) => {
    const staff = await ports.change(async (changing) => {
      const made = await changing.staff.createStaff({ email, role: options.role, password }, context.now());
      if (!made.created) throw new CliError(`There is a login ${email} already.`);
      await writeAudit(context, changing, 'staff.create', made.staff.email, { role: options.role });
      return made.staff;
    });
    const shown = given === undefined ? { password } : {};
    const lines = [
      `login     ${staff.email} (${staff.role})`,
      ...(given === undefined ? [`password  ${password}`] : []),
    ];
    tell(context, options, { lines, json: { ...staff, ...shown } });
  });
}

function listStaff(context: CliContext, options: JsonOption): Promise<void> {
  return context.withPorts(async ({ staff }) => {
    const all = await staff.list();
    const now = context.now();
    const rows = all.map(({ email, role, createdAt, lockedUntil, secondFactorAt, disabledAt }) => [
      email,
      role,
      disabledAt ? 'disabled' : lockedUntil && lockedUntil > now ? 'locked' : 'active',
      secondFactorAt ? day(secondFactorAt) : 'not set up',
      day(createdAt),
    ]);
    const json = all.map(({ id, email, role, createdAt, lockedUntil, secondFactorAt, disabledAt }) => ({
      id,
      email,
      role,
      created_at: createdAt,
      locked_until: lockedUntil,
      second_factor_at: secondFactorAt,
      disabled_at: disabledAt,
    }));
    const head = ['email', 'role', 'state', 'second factor', 'created'];
    tell(context, options, { lines: table([head, ...rows]), json });
  });
}

function disableStaff(context: CliContext, email: string, options: JsonOption): Promise<void> {
  return context.withPorts(async (ports) => {
    await ports.change(async (changing) => {
      const disabled = await changing.staff.disable(email, context.now());
      if (!disabled) throw new CliError(`There is no login ${email}.`);
      await writeAudit(context, changing, 'staff.disable', email.toLowerCase());
    });
    tell(context, options, { lines: [`${email} is disabled`], json: { email, disabled: true } });
  });
}

function resetSecondFactor(context: CliContext, email: string, options: JsonOption): Promise<void> {
  return context.withPorts(async (ports) => {
    await ports.change(async (changing) => {
      const reset = await changing.staff.resetSecondFactor(email);
      if (!reset) throw new CliError(`There is no login ${email}.`);
      await writeAudit(context, changing, 'staff.reset-second-factor', email.toLowerCase());
    });
    tell(context, options, {
      lines: [`${email} sets up a new second factor at the next login, with the password as before`],
      json: { email, second_factor: 'not set up' },
    });
  });
}
