import { afterAll, beforeAll, expect, test } from 'vitest';
import type { SendOrder } from '../../../../domain/verify/intake.ts';
import { channelRules } from '../../../../domain/verify/channel.ts';
import { enrolmentPayers } from '../../../../infra/postgres/verify/enrolment-payers.ts';
import { openWorld, orderFor, type World } from './world.ts';

const SMS_MICROS = channelRules.sms.reservedMicros;
let world: World;
let next = 0;
const freshPhone = () => `+99894${100 + next++}0000`;
type Caller = SendOrder['caller'];
const projectFor = (messages: number, more: object = {}) =>
  world.makeProject({ sms_daily_budget_micros: messages * SMS_MICROS, ...more });

beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

const accept = (caller: Caller, more: Partial<SendOrder['command']> = {}, askedBy = 'service') =>
  world.intake.accept({
    ...orderFor(caller, freshPhone(), more),
    ...(askedBy === 'stranger' ? { asker: { kind: 'stranger', from: freshPhone() } as const } : {}),
  });

test('the code of an enrolment is not paid with what accepted sends may still need', async () => {
  const caller = await projectFor(2);
  await accept(caller);
  const payers = enrolmentPayers(world.pool);
  const payer = { projectId: caller.projectId, dailyBudgetMicros: 2 * SMS_MICROS };
  const charges = await Promise.all([1, 2].map(() => payers.charge(payer, SMS_MICROS, new Date())));
  expect(charges.filter(Boolean)).toHaveLength(1);
  expect(await accept(caller)).toMatchObject({ kind: 'refused', reason: 'budget-spent' });
});
