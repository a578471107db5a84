import type { Command } from 'commander';
import { phoneFault, readPhone } from '../../../domain/shared/phone.ts';
import type { AuditEntry } from '../../../domain/staff/audit.ts';
import { inTransaction } from '../../../infra/postgres/engine/transaction.ts';
import { staffPhones } from '../../../infra/postgres/pay/batch/staff-phones.ts';
import { writeAudit as writeAuditRow } from '../../../infra/postgres/staff/audit.ts';
import { type CliContext, CliError, day, type JsonOption, table, tell, writeAudit } from '../context.ts';

/** Whose phone is whose: what pays a member of staff is refused to them. */
export function staffPhoneCommands(program: Command, context: CliContext): void {
  const phones = program
    .command('staff-phone')
    .description('phones of members of staff, whose own money they do not approve');
  phones
    .command('declare <email> <phone>')
    .description(
      'notes a phone of a login: payments to it, to its person and to cards of theirs are not approved by them. It is kept for ever',
    )
    .option('--json')
    .action((email: string, phone: string, options: JsonOption) => declare(context, email, phone, options));
  phones
    .command('list')
    .description('all phones that were declared')
    .option('--json')
    .action((options: JsonOption) => list(context, options));
}

/** As the audit shows a phone. */
const SHOWN_DIGITS = 2;

async function declare(context: CliContext, email: string, text: string, options: JsonOption): Promise<void> {
  const read = readPhone(text);
  if (!read.ok) throw new CliError(`${phoneFault(read)}.`);
  const phone = read.phone.e164;
  await context.withPorts(async (ports) => {
    const staff = (await ports.staff.list()).find((one) => one.email === email.toLowerCase());
    if (!staff) throw new CliError(`There is no login ${email}.`);
    await inTransaction(ports.pool, async (tx) => {
      await staffPhones(tx).declare(staff.id, phone);
      const audit = { write: (entry: AuditEntry) => writeAuditRow(tx, entry) };
      const detail = { phone: `…${phone.slice(-SHOWN_DIGITS)}` };
      await writeAudit(context, { audit }, 'staff.phone', staff.email, detail);
    });
    tell(context, options, {
      lines: [`${staff.email} approves nothing that pays ${phone}`],
      json: { email: staff.email, phone },
    });
  });
}

function list(context: CliContext, options: JsonOption): Promise<void> {
  return context.withPorts(async ({ pool }) => {
    const all = await staffPhones(pool).list();
    tell(context, options, {
      lines: table([
        ['email', 'phone', 'declared'],
        ...all.map((one) => [one.email, one.phone, day(one.declaredAt)]),
      ]),
      json: all.map(({ email, phone, declaredAt }) => ({ email, phone, declared_at: declaredAt })),
    });
  });
}
