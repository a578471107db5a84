import { describe, expect, test } from 'vitest';
import { PaceOrder, SendingPace } from '../../../apps/sandbox/telegram-pace.ts';

function paced(order: object) {
  let nowMs = 0;
  const pace = new SendingPace(() => new Date(nowMs), PaceOrder.parse(order));
  return {
    pace,
    pass: (ms: number) => {
      nowMs += ms;
    },
  };
}

test('without an order nothing is paced', () => {
  const pace = new SendingPace(() => new Date(0));
  for (let n = 0; n < 1_000; n += 1) expect(pace.reserve(1, 'a')).toBeUndefined();
});

describe('a bot', () => {
  test('sends so many in any stretch of a second, and is refused one more', () => {
    const { pace, pass } = paced({ per_second: 2, chat_gap_ms: 0 });
    expect(pace.reserve(1, 'a')).toBeUndefined();
    pass(900);
    expect(pace.reserve(1, 'b')).toBeUndefined();
    expect(pace.reserve(2, 'b')).toBeUndefined();
    pass(99);
    expect(pace.reserve(1, 'c')).toBe(1);
    expect(pace.report()).toMatchObject({ accepted: 3, bot_breaches: 1 });
  });

  test('that does not wait as it was told is seen, save for what was on its way', () => {
    const { pace, pass } = paced({ per_second: 1, chat_gap_ms: 0 });
    pace.reserve(1, 'a');
    pace.reserve(1, 'b');
    pass(100);
    expect(pace.reserve(1, 'c')).toBe(1);
    expect(pace.report()).toMatchObject({ early: 1, disobeyed: 0 });
    pass(1);
    pace.reserve(1, 'c');
    expect(pace.report()).toMatchObject({ early: 2, disobeyed: 1 });
    pass(899);
    expect(pace.reserve(1, 'c')).toBeUndefined();
  });
});

test('a chat has its own gap, which another chat does not wait for', () => {
  const { pace, pass } = paced({ chat_gap_ms: 3_000 });
  pace.reserve(1, 'a');
  pass(1_000);
  expect(pace.reserve(1, 'a')).toBe(2);
  expect(pace.reserve(1, 'b')).toBeUndefined();
  pass(2_000);
  expect(pace.reserve(1, 'a')).toBeUndefined();
  expect(pace.report().chat_breaches).toBe(1);
});

test('the same seed is busy for the same calls, and a share of 1 for all', () => {
  const draw = (seed: number, busy_share: number) => {
    const { pace, pass } = paced({ chat_gap_ms: 0, busy_share, seed });
    return Array.from({ length: 50 }, (_, n) => {
      pass(2_000);
      return pace.reserve(1, `${n}`) !== undefined;
    });
  };
  expect(draw(7, 0.5)).toEqual(draw(7, 0.5));
  expect(draw(7, 0.5)).not.toEqual(draw(8, 0.5));
  expect(draw(7, 1).every(Boolean)).toBe(true);
  expect(draw(7, 0).some(Boolean)).toBe(false);
});
