import { expect, onTestFinished, test } from 'vitest';
import { NEVER, chatsOf, slotsAt } from './slots.ts';

test('an urgent message passes all that waits', async () => {
  const { slots } = await slotsAt({ messagesPerSecond: 29, chatGapMs: 1_000 });
  const done = new AbortController();
  onTestFinished(() => done.abort());
  let ordinary = 0;
  for (const chatId of chatsOf(120))
    void slots.turn({ chatId, urgent: false }, done.signal).then(({ kind: turn }) => {
      if (turn === 'now') ordinary += 1;
    });
  await expect.poll(() => ordinary).toBeGreaterThanOrEqual(5);
  const before = ordinary;
  await Promise.all(
    chatsOf(5, 1_000).map(async (chatId) => {
      expect(await slots.turn({ chatId, urgent: true }, NEVER)).toEqual({ kind: 'now' });
    }),
  );
  // Five slots that were taken, and five more each time that a busy machine makes an urgent one late; behind the others all of them
  // would have gone first.
  expect(ordinary - before).toBeLessThanOrEqual(40);
});

test('a chat that must wait takes no slot from the others', async () => {
  const { slots } = await slotsAt({ messagesPerSecond: 40, chatGapMs: 1_200 });
  await slots.turn({ chatId: '1', urgent: false }, NEVER);
  const order: string[] = [];
  await Promise.all(
    ['1', ...chatsOf(6, 2)].map(async (chatId) => {
      expect(await slots.turn({ chatId, urgent: false }, NEVER)).toEqual({ kind: 'now' });
      order.push(chatId);
    }),
  );
  expect(order.at(-1)).toBe('1');
});

test('a chat that is far from free answers later at once; a group takes a third of what a person takes', async () => {
  const { slots } = await slotsAt({ chatGapMs: 20_000 });
  for (const [chatId, gapMs] of [
    ['1', 21_000],
    ['-1', 61_000],
  ] as const) {
    await slots.turn({ chatId, urgent: false }, NEVER);
    const turn = await slots.turn({ chatId, urgent: false }, NEVER);
    expect(turn.kind).toBe('later');
    const waitMs = turn.kind === 'later' ? turn.retryAfterMs : 0;
    expect(waitMs).toBeGreaterThan(gapMs / 2);
    // A slot that is due within a millisecond is used at once.
    expect(waitMs).toBeLessThanOrEqual(gapMs + 1);
  }
});

test('whoever stops waiting leaves the line at once, and holds nothing', async () => {
  const { slots } = await slotsAt({ messagesPerSecond: 1 });
  await slots.turn({ chatId: '1', urgent: false }, NEVER);
  const stop = new AbortController();
  const waiting = slots.turn({ chatId: '2', urgent: false }, stop.signal);
  setTimeout(() => stop.abort(), 50);
  expect(await waiting).toEqual({ kind: 'later', retryAfterMs: 0 });
  expect(await slots.turn({ chatId: '2', urgent: false }, stop.signal)).toEqual({
    kind: 'later',
    retryAfterMs: 0,
  });
});
