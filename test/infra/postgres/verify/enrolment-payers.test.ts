import { expect, test } from 'vitest';
import { enrolmentPayers } from '../../../../infra/postgres/verify/enrolment-payers.ts';
import { openBudgets, SMS_MICROS } from './open-budgets.ts';

const { world, accept, projectFor } = await openBudgets();

test('the code of an enrolment is not paid with what accepted sends may still need', async () => {
  const caller = await projectFor(2);
  await accept(caller);
  const payers = enrolmentPayers(world.pool);
  const payer = { projectId: caller.projectId, dailyBudgetMicros: 2 * SMS_MICROS };
  const charges = await Promise.all([1, 2].map(() => payers.charge(payer, SMS_MICROS, new Date())));
  expect(charges.filter(Boolean)).toHaveLength(1);
  expect(await accept(caller)).toMatchObject({ kind: 'refused', reason: 'budget-spent' });
});
