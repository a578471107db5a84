import { expect, onTestFinished, test } from 'vitest';
import type { MessageTarget } from '../../../../../domain/message/broadcast/broadcast.ts';
import { broadcastIntake } from '../../../../../infra/postgres/message/broadcast/intake.ts';
import { broadcastWorld } from './world.ts';

const TARGETS = 2_000;
/** Of the intake: a turn of the event loop, for which all other callers wait. */
const TARGETS_A_TURN = 500;

/** Counts the calls of a turn of the event loop. */
function turnCounter() {
  let inTurn = 0;
  let most = 0;
  const counted =
    <Args extends unknown[], Out>(work: (...args: Args) => Out) =>
    (...args: Args): Out => {
      if (inTurn === 0)
        setImmediate(() => {
          inTurn = 0;
        });
      inTurn++;
      most = Math.max(most, inTurn);
      return work(...args);
    };
  return { counted, most: () => most };
}

test.each([
  ['telegram-message', (n: number): MessageTarget => ({ by: 'chat', chatId: String(n + 1) })],
  ['push', (n: number): MessageTarget => ({ by: 'token', token: `device-${n}` })],
] as const)('a %s to thousands leaves turns of the event loop to other callers', async (kind, target) => {
  const world = await broadcastWorld();
  onTestFinished(() => world.close());
  const { counted, most } = turnCounter();
  const { pool, hash, rowEncryption } = world;
  const encryption = {
    ...rowEncryption,
    encrypt: counted((plain: string, bindTo: string) => rowEncryption.encrypt(plain, bindTo)),
  };
  const intake = broadcastIntake({ pool, hash: counted(hash), encryption, now: () => new Date() });
  const targets = Array.from({ length: TARGETS }, (_, n) => target(n));
  const order = world.orderOf(await world.makeCaller(), kind, targets);
  expect(await intake.accept(order)).toMatchObject({ kind: 'accepted', total: TARGETS });
  expect(most()).toBeGreaterThan(0);
  expect(most()).toBeLessThanOrEqual(TARGETS_A_TURN);
  const { rows } = await pool.query<{ count: number }>(
    'select count(distinct payload)::int count from job where project_id = $1',
    [order.caller.projectId],
  );
  expect(rows).toEqual([{ count: TARGETS }]);
});

test.each([
  ['an idempotency key', { idempotency: { key: 'asked-twice', bodyHash: 'a1' } }],
  ['a dedupe key', { dedupeKey: 'told-once' }],
])('a large one that is asked for twice at once with %s is one, with one answer', async (_name, change) => {
  const world = await broadcastWorld();
  onTestFinished(() => world.close());
  const { pool, hash, rowEncryption: encryption } = world;
  const intakes = [1, 2, 3].map(() => broadcastIntake({ pool, hash, encryption, now: () => new Date() }));
  const targets = Array.from({ length: TARGETS }, (_, n): MessageTarget => ({
    by: 'chat',
    chatId: String(n + 1),
  }));
  const order = world.orderOf(await world.makeCaller(), 'telegram-message', targets, change);
  const answers = await Promise.all(intakes.map((intake) => intake.accept(order)));
  expect(answers[0]).toMatchObject({ kind: 'accepted', total: TARGETS });
  expect(new Set(answers.map((answer) => JSON.stringify('id' in answer && answer.id))).size).toBe(1);
  const { rows } = await pool.query<{ count: number }>(
    'select count(*)::int count from job where project_id = $1',
    [order.caller.projectId],
  );
  expect(rows).toEqual([{ count: TARGETS }]);
});
