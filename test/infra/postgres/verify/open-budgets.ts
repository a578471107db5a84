import { afterAll } from 'vitest';
import { channelRules } from '../../../../domain/verify/channel.ts';
import type { SendOrder } from '../../../../domain/verify/intake.ts';
import { openWorld, orderFor } from './world.ts';

export const SMS_MICROS = channelRules.sms.reservedMicros;

/** Projects with a day's budget, in a world of this file's own. */
export async function openBudgets() {
  const world = await openWorld();
  afterAll(() => world.close());
  let next = 0;
  const freshPhone = () => `+99894${100 + next++}0000`;
  const projectFor = (messages: number, more: object = {}) =>
    world.makeProject({ sms_daily_budget_micros: messages * SMS_MICROS, ...more });
  const accept = (
    caller: SendOrder['caller'],
    more: Partial<SendOrder['command']> = {},
    askedBy = 'service',
  ) =>
    world.intake.accept({
      ...orderFor(caller, freshPhone(), more),
      ...(askedBy === 'stranger' ? { asker: { kind: 'stranger', from: freshPhone() } as const } : {}),
    });
  return { world, freshPhone, projectFor, accept };
}
