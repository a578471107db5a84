import { expect, test } from 'vitest';
import type { SendOrder } from '../../../../domain/verify/intake.ts';
import { channelRules } from '../../../../domain/verify/channel.ts';
import { dayBudgetOf } from '../../../../domain/verify/paid-limits.ts';
import { lockBudgets } from '../../../../infra/postgres/verify/budgets.ts';
import { otpIntake } from '../../../../infra/postgres/verify/intake.ts';
import { eventually } from '../../../support/eventually.ts';
import { openBudgets, SMS_MICROS } from './open-budgets.ts';
import { orderFor } from './world.ts';

const { world, accept, freshPhone, projectFor } = await openBudgets();
type Caller = SendOrder['caller'];

const reservedOf = async ({ projectId }: Caller) => {
  const { rows } = await world.pool.query(
    `select coalesce(sum(reserved_micros), 0)::int micros from job where project_id = $1 and finished_at is null`,
    [projectId],
  );
  return rows[0].micros;
};
const spendOf = async ({ projectId }: Caller) => {
  const { rows } = await world.pool.query(
    'select spent_micros::int spent, stranger_micros::int stranger from paid_spend where project_id = $1',
    [projectId],
  );
  return rows[0] ?? { spent: 0, stranger: 0 };
};
const endsOf = async ({ projectId }: Caller) => {
  const { rows } = await world.pool.query('select distinct reason from job where project_id = $1', [
    projectId,
  ]);
  return rows.map(({ reason }) => reason);
};
const openedBy = (caller: Caller, jobId: string, askedBy: 'service' | 'stranger' = 'service') =>
  world.pool.query('select address_hash from job where id = $1', [jobId]).then(({ rows }) =>
    world.paid.open({
      jobId: jobId as never,
      n: 1,
      channel: 'sms',
      provider: 'twilio',
      projectId: caller.projectId,
      addressHash: rows[0].address_hash,
      scored: { prefix: null, ip: null, device: null },
      isTrusted: false,
      isLater: false,
      askedBy,
      budget: dayBudgetOf(caller.settings),
      reservedMicros: SMS_MICROS,
    }),
  );

test('of 50 sends at once at a budget for 10, over two processes, 10 are accepted, and none of them ends as budget-spent', async () => {
  const caller = await projectFor(10);
  const other = otpIntake(world.intakeDeps);
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, n) =>
      (n % 2 ? other : world.intake).accept(orderFor(caller, freshPhone())),
    ),
  );
  const accepted = answers.flatMap((one) => (one.kind === 'accepted' ? [one.jobId] : []));
  expect(accepted).toHaveLength(10);
  expect(answers.filter((one) => one.kind === 'refused')).toHaveLength(40);
  expect(answers).toContainEqual(
    expect.objectContaining({
      kind: 'refused',
      reason: 'budget-spent',
      facts: expect.objectContaining({ until: expect.any(Date) }),
    }),
  );
  const wake = world.wake({ sms: async () => ({ kind: 'accepted', reference: 'SM1', cost: null }) });
  await Promise.all(accepted.map((id) => wake(id)));
  expect(await endsOf(caller)).not.toContain('budget-spent');
  expect(await spendOf(caller)).toEqual({ spent: 10 * SMS_MICROS, stranger: 0 });
  expect(await reservedOf(caller)).toBe(0);
});

test('two intakes at one moment wait for each other at the budget, and what one accepts the other counts', async () => {
  const caller = await projectFor(1);
  const holder = await world.pool.connect();
  await holder.query('begin');
  await holder.query(lockBudgets, [[caller.projectId]]);
  const both = [world.intake, otpIntake(world.intakeDeps)].map((one) =>
    one.accept(orderFor(caller, freshPhone())),
  );
  await eventually(async () => {
    const { rows } = await world.pool.query(
      `select count(*)::int waiting from pg_locks where locktype = 'advisory' and not granted
         and database = (select oid from pg_database where datname = current_database())`,
    );
    expect(rows).toEqual([{ waiting: 2 }]);
  });
  await holder.query('commit');
  holder.release();
  const answers = await Promise.all(both);
  expect(answers.map(({ kind: answer }) => answer).toSorted()).toEqual(['accepted', 'refused']);
});

test('publishable keys reserve of their share, and leave the rest to services', async () => {
  const caller = await projectFor(4);
  const strangers = await Promise.all([1, 2, 3].map(() => accept(caller, {}, 'stranger')));
  expect(strangers.map(({ kind: answer }) => answer)).toEqual(['accepted', 'accepted', 'refused']);
  const services = await Promise.all([1, 2, 3].map(() => accept(caller)));
  expect(services.map(({ kind: answer }) => answer)).toEqual(['accepted', 'accepted', 'refused']);
});

test('a stranger’s message is spent, settled and given back in the strangers’ share too', async () => {
  const caller = await projectFor(10);
  const [one, two, three] = await Promise.all([
    accept(caller, {}, 'stranger'),
    accept(caller, {}, 'stranger'),
    accept(caller),
  ]);
  if (one?.kind !== 'accepted' || two?.kind !== 'accepted' || three?.kind !== 'accepted')
    throw new Error('refused');
  await openedBy(caller, one.jobId, 'stranger');
  await openedBy(caller, two.jobId, 'stranger');
  await openedBy(caller, three.jobId);
  expect(await spendOf(caller)).toEqual({ spent: 3 * SMS_MICROS, stranger: 2 * SMS_MICROS });
  const close = { n: 1, reason: null, providerReference: 'SM', costCurrency: 'USD', latencyMs: 1 };
  const nextStep = { next: { runAt: new Date() } };
  await world.store.close({
    ...close,
    jobId: one.jobId,
    outcome: 'completed',
    costMicros: 50_000n,
    ...nextStep,
  });
  await world.store.close({ ...close, jobId: two.jobId, outcome: 'rejected', costMicros: null, ...nextStep });
  expect(await spendOf(caller)).toEqual({ spent: SMS_MICROS + 50_000, stranger: 50_000 });
});

test('what is tried once more is reserved again, and what ends holds nothing', async () => {
  const caller = await projectFor(1);
  const sent = await accept(caller);
  if (sent.kind !== 'accepted') throw new Error('refused');
  await openedBy(caller, sent.jobId);
  expect(await reservedOf(caller)).toBe(0);
  const failed = { jobId: sent.jobId, n: 1, outcome: 'failed', reason: null } as const;
  const unsent = { providerReference: null, costMicros: null, costCurrency: null, latencyMs: 1 };
  await world.store.close({ ...failed, ...unsent, next: { runAt: new Date() } });
  expect(await reservedOf(caller)).toBe(SMS_MICROS);
  expect(await accept(caller)).toMatchObject({ kind: 'refused', reason: 'budget-spent' });
  await world.store.finish(sent.jobId, 'cancelled', 'verification-cancelled');
  expect(await accept(caller)).toMatchObject({ kind: 'accepted' });
});

test('a chain reserves what all its paid channels may take; test keys reserve nothing', async () => {
  const caller = await projectFor(3);
  await accept(caller, { channels: ['telegram-gateway', 'sms'] });
  expect(await reservedOf(caller)).toBe(SMS_MICROS + channelRules['telegram-gateway'].reservedMicros);
  await accept(caller, { mode: 'test' });
  expect(await reservedOf(caller)).toBe(SMS_MICROS + channelRules['telegram-gateway'].reservedMicros);
});

test('that half of a budget is spent is told once a day, however often it is crossed', async () => {
  const caller = await projectFor(4);
  await world.pool.query(
    `insert into webhook_endpoint (id, project_id, mode, url, host, event_types, created_at, updated_at)
     values (gen_random_uuid(), $1, 'live', 'https://example.com/', 'example.com', '{budget.half_spent}', now(), now())`,
    [caller.projectId],
  );
  const told = async () => {
    const { rows } = await world.pool.query(
      `select data from webhook_event where project_id = $1 and type = 'budget.half_spent'`,
      [caller.projectId],
    );
    return rows.map(({ data }) => data);
  };
  const jobs: string[] = [];
  for (let n = 0; n < 4; n++) {
    const sent = await accept(caller, {}, n === 0 ? 'stranger' : 'service');
    if (sent.kind === 'accepted') jobs.push(sent.jobId);
  }
  await openedBy(caller, jobs[0] ?? '', 'stranger');
  expect(await told()).toEqual([]);
  for (const id of jobs.slice(1, 3)) await openedBy(caller, id);
  // Refunded, and crossed once more.
  await world.pool.query('update paid_spend set spent_micros = 0 where project_id = $1', [caller.projectId]);
  await openedBy(caller, jobs[3] ?? '');
  expect(await told()).toEqual([
    {
      day: new Date().toISOString().slice(0, 10),
      budget_micros: 4 * SMS_MICROS,
      spent_micros: 2 * SMS_MICROS,
      publishable_spent_micros: SMS_MICROS,
    },
  ]);
});

test('a text of two parts reserves both, so that what is accepted is sent', async () => {
  const template = `{project}: код {code}, ${'действует недолго, '.repeat(4)}{minutes} мин.`;
  const settings = { templates: { ru: template }, sms_daily_budget_micros: SMS_MICROS * 2 };
  const twoParts = await world.makeProject(settings);
  expect(await accept(twoParts, { locale: 'ru' })).toMatchObject({ kind: 'accepted' });
  expect(await reservedOf(twoParts)).toBe(SMS_MICROS * 2);

  const tooLittle = await world.makeProject({ ...settings, sms_daily_budget_micros: SMS_MICROS * 2 - 1 });
  expect(await accept(tooLittle, { locale: 'ru' })).toMatchObject({
    kind: 'refused',
    reason: 'budget-spent',
  });
  // The text of another language has one part.
  expect(await accept(tooLittle, { locale: 'en' })).toMatchObject({ kind: 'accepted' });
});
