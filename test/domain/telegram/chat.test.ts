import { expect, test } from 'vitest';
import { afterFact, afterRefusal, type ChatFact, type ChatState } from '../../../domain/telegram/chat.ts';

const now = new Date('2026-01-15T10:00:00Z');
const later = (ms: number) => new Date(now.getTime() + ms);
const unknown: ChatState = { optedOutAt: null, unreachable: null, openedAt: null, wish: null, reach: null };

const facts = {
  start: { kind: 'started' },
  stop: { kind: 'stopped' },
  text: { kind: 'reached' },
  block: { kind: 'left', because: 'bot-blocked' },
} as const satisfies Record<string, ChatFact>;
type Name = keyof typeof facts;

const standing = ({ optedOutAt, unreachable }: ChatState) =>
  optedOutAt ? 'opted-out' : (unreachable?.because ?? 'open');
const after = (numbered: readonly (readonly [number, Name])[]) =>
  numbered.reduce((state, [updateId, name]) => afterFact(state, facts[name], { updateId, at: now }), unknown);

function* orders<Item>(items: readonly Item[]): Generator<Item[]> {
  if (items.length === 0) yield [];
  for (const [index, item] of items.entries())
    for (const rest of orders(items.toSpliced(index, 1))) yield [item, ...rest];
}

const names = Object.keys(facts) as Name[];
const timelines = names.flatMap((a) => names.flatMap((b) => names.map((c) => [a, b, c])));

test.each(timelines)('%s, %s, %s end alike in whatever order they come', (...timeline) => {
  const numbered = timeline.map((name, index) => [index + 1, name] as const);
  const inOrder = standing(after(numbered));
  for (const order of orders(numbered)) expect(standing(after(order)), JSON.stringify(order)).toBe(inOrder);
});

test('/start opens what was stopped and blocked; a text or an unblock opens no /stop', () => {
  expect(
    standing(
      after([
        [1, 'stop'],
        [2, 'block'],
        [3, 'start'],
      ]),
    ),
  ).toBe('open');
  expect(
    standing(
      after([
        [1, 'stop'],
        [2, 'block'],
        [3, 'text'],
      ]),
    ),
  ).toBe('opted-out');
  expect(
    standing(
      after([
        [1, 'block'],
        [2, 'text'],
      ]),
    ),
  ).toBe('open');
});

test('after a week without updates their ids begin anew, and a lower one is believed', () => {
  const blocked = afterFact(unknown, facts.block, { updateId: 900, at: now });
  const opened = (ms: number) => standing(afterFact(blocked, facts.text, { updateId: 5, at: later(ms) }));
  expect(opened(86_400_000)).toBe('bot-blocked');
  expect(opened(7 * 86_400_000)).toBe('open');
});

test('a refusal of what was sent before the chat opened closes nothing', () => {
  const opened = afterFact(unknown, facts.start, { updateId: 1, at: now });
  const refused = (sentMs: number) =>
    standing(afterRefusal(opened, 'bot-blocked', later(sentMs), later(5_000)));
  expect(refused(-10)).toBe('open');
  expect(refused(0)).toBe('open');
  expect(refused(10)).toBe('bot-blocked');
});
