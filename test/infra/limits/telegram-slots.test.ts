import { expect, test } from 'vitest';
import { FAST, TOKEN, NEVER, slotsAt } from './slots.ts';
import { telegramSlots } from '../../../infra/limits/telegram-slots.ts';

test('a long freeze answers later to everybody who waits, and a shorter one after it changes nothing', async () => {
  const { slots, redis } = await slotsAt();
  await slots.freeze(300_000);
  await slots.freeze(1_000);
  const other = telegramSlots({ token: TOKEN, redis, ...FAST });
  for (const each of [slots, other]) {
    const turn = await each.turn({ chatId: '1', urgent: true }, NEVER);
    expect(turn.kind === 'later' && turn.retryAfterMs).toBeGreaterThan(150_000);
  }
});
