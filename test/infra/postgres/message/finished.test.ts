import { afterAll, beforeAll, expect, test } from 'vitest';
import { broadcastIntake } from '../../../../infra/postgres/message/broadcast/intake.ts';
import { broadcasts } from '../../../../infra/postgres/message/broadcast/broadcasts.ts';
import { countFinishedBy } from '../../../support/finished-jobs.ts';
import { openGround } from '../world.ts';

let world: Awaited<ReturnType<typeof openGround>>;
beforeAll(async () => {
  world = await openGround();
});
afterAll(() => world.close());

test('messages that a cancellation stops, and those of test keys, are counted', async () => {
  const { pool, hash, rowEncryption: encryption } = world;
  const caller = await world.makeProject();
  const intake = broadcastIntake({ pool, hash, encryption, now: () => new Date() });
  const order = (mode: 'live' | 'test') => ({
    caller: { ...caller, mode },
    kind: 'telegram-message' as const,
    priority: 'bulk' as const,
    content: { text: 'salom', format: 'html' as const, silent: false },
    targets: ['1', '2'].map((chatId) => ({ by: 'chat' as const, chatId })),
    sendAt: new Date(),
    expiresAt: new Date(Date.now() + 60_000),
    dedupeKey: null,
    idempotency: null,
    category: null,
    requestId: 'test',
  });
  expect(await countFinishedBy(() => intake.accept(order('test')))).toEqual({
    'telegram-message completed': 2,
  });
  const sent = await intake.accept(order('live'));
  if (sent.kind !== 'accepted') throw new Error(sent.kind);
  const cancel = () => broadcasts(pool).command({ ...caller, mode: 'live' }, sent.id, 'cancel', new Date());
  expect(await countFinishedBy(cancel)).toEqual({ 'telegram-message cancelled': 2 });
  expect(await countFinishedBy(cancel)).toEqual({});
});
