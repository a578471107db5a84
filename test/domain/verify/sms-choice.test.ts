import { describe, expect, test } from 'vitest';
import type { JobId } from '../../../domain/shared/ids.ts';
import {
  drawOf,
  type OperatorScore,
  orderRoute,
  scoresOf,
  type Scores,
  withTrials,
} from '../../../domain/verify/sms-choice.ts';
import type { SmsProvider } from '../../../domain/verify/sms-provider.ts';

const now = new Date('2026-01-15T10:00:00Z');
const hours = (count: number) => new Date(now.getTime() + count * 3_600_000);
const route = [
  { provider: 'eskiz', priceMicros: 10_000 },
  { provider: 'play-mobile', priceMicros: 11_000 },
  { provider: 'twilio', priceMicros: 300_000 },
] as const;
const measured = (shares: Partial<Record<SmsProvider, number>>, sent = 80): Scores =>
  new Map(
    Object.entries(shares).map(([provider, share]) => [
      provider as SmsProvider,
      { sent, arrived: sent * share, at: now },
    ]),
  );
/** No trial: the draw is above all slices. */
const usual = {
  route,
  scores: new Map(),
  usedBefore: new Set<SmsProvider>(),
  measures: true,
  draw: 0.9,
  now,
} satisfies Parameters<typeof orderRoute>[0];
const orderOf = (change: Partial<Parameters<typeof orderRoute>[0]>) =>
  orderRoute({ ...usual, ...change }).map(({ provider, chosen }) => `${provider} ${chosen}`);
const listed = ['eskiz listed', 'play-mobile listed', 'twilio listed'];

describe('orderRoute', () => {
  test('keeps the listed order where nothing is known, and where measuring is off', () => {
    expect(orderOf({})).toEqual(listed);
    const scores = measured({ eskiz: 0.1, 'play-mobile': 0.9 });
    expect(orderOf({ measures: false, draw: 0.06, scores })).toEqual(listed);
  });

  test('begins with the next one where the first loses more than the next one costs', () => {
    const losing = (share: number) =>
      orderOf({ scores: measured({ eskiz: 0.9 * share, 'play-mobile': 0.9 }) });
    expect(losing(0.7)).toEqual(['play-mobile measured', 'eskiz measured', 'twilio listed']);
    // 10 000 / 0.92 is less than 11 000.
    expect(losing(0.92)).toEqual(listed);
  });

  test('a loss of less than a tenth is taken for chance, even at one price', () => {
    const samePrice = route.map((one) => ({ ...one, priceMicros: 10_000 }));
    const losing = (share: number) =>
      orderOf({ route: samePrice, scores: measured({ eskiz: share, 'play-mobile': 1, twilio: 1 }) })[0];
    expect(losing(0.9)).toBe('eskiz listed');
    expect(losing(0.89)).toBe('play-mobile measured');
  });

  test('what lowers all shares alike changes no order', () => {
    expect(orderOf({ scores: measured({ eskiz: 0.2, 'play-mobile': 0.2 }) })).toEqual(listed);
    expect(orderOf({ scores: measured({ eskiz: 0, 'play-mobile': 0 }) })).toEqual(listed);
  });

  test('fewer than twenty trials prove nothing, nor do those of yesterday', () => {
    const scores = (sent: number) => measured({ eskiz: 0.5, 'play-mobile': 0.9 }, sent);
    expect(orderOf({ scores: scores(19.9) })).toEqual(listed);
    expect(orderOf({ scores: scores(20) })[0]).toBe('play-mobile measured');
    expect(orderOf({ scores: scores(80), now: hours(11.9) })[0]).toBe('play-mobile measured');
    expect(orderOf({ scores: scores(80), now: hours(12.1) })).toEqual(listed);
  });

  test('a dearer one is worth it only where more than half is lost', () => {
    const dear = route.filter(({ provider }) => provider !== 'play-mobile');
    const losing = (share: number) => orderOf({ route: dear, scores: measured({ eskiz: share, twilio: 1 }) });
    expect(losing(0.5)).toEqual(['eskiz listed', 'twilio listed']);
    expect(losing(0.49)).toEqual(['twilio measured', 'eskiz measured']);
  });

  test('who lists a dearer one first wants it first, until it loses', () => {
    const reversed = [route[1], route[0]];
    expect(orderOf({ route: reversed, scores: measured({ eskiz: 0.9, 'play-mobile': 0.9 }) })).toEqual([
      'play-mobile listed',
      'eskiz listed',
    ]);
    expect(orderOf({ route: reversed, scores: measured({ eskiz: 0.9, 'play-mobile': 0.7 }) })[0]).toBe(
      'eskiz measured',
    );
  });

  test('a share of the sends tries each cheap provider, whatever it loses', () => {
    const scores = measured({ eskiz: 0.1, 'play-mobile': 0.9 });
    expect(orderOf({ scores, draw: 0.049 })).toEqual([
      'eskiz trial',
      'play-mobile measured',
      'twilio measured',
    ]);
    expect(orderOf({ scores, draw: 0.05 })[0]).toBe('play-mobile trial');
    expect(orderOf({ scores, draw: 0.1 })[0]).toBe('play-mobile measured');
    // The usual first one is on trial too: what is counted of all is drawn alike.
    expect(orderOf({ draw: 0 })[0]).toBe('eskiz trial');
  });

  test('no trial of who costs more than twice the cheapest, and none where one alone is cheap', () => {
    expect(orderOf({ draw: 0.12 })).toEqual(listed);
    expect(orderOf({ route: [route[0], route[2]], draw: 0 })).toEqual(['eskiz listed', 'twilio listed']);
    expect(orderOf({ route: [], draw: 0 })).toEqual([]);
  });

  test('a resend begins with another, and is no trial; with none that is left it goes on as usual', () => {
    const after = (...used: SmsProvider[]) => orderOf({ usedBefore: new Set(used), draw: 0 });
    expect(after('eskiz')).toEqual(['play-mobile resend', 'twilio resend', 'eskiz listed']);
    expect(after('play-mobile')).toEqual(['eskiz resend', 'twilio resend', 'play-mobile listed']);
    expect(after('eskiz', 'play-mobile', 'twilio')).toEqual(listed);
    expect(orderOf({ usedBefore: new Set(['eskiz']), measures: false })[0]).toBe('play-mobile resend');
  });
});

describe('scores', () => {
  const row = (operator: string, provider: SmsProvider, sent: number, arrived: number): OperatorScore => ({
    operator,
    provider,
    sent,
    arrived,
    at: now,
  });

  test('an operator of which little is known is seen as all others are, as far as a proof needs it', () => {
    const rows = [row('+99890', 'eskiz', 200, 100), row('+99890', 'play-mobile', 200, 180)];
    expect(scoresOf(rows, '+99893', now).get('eskiz')).toEqual({ sent: 20, arrived: 10, at: now });
    const own = [...rows, row('+99893', 'eskiz', 60, 54)];
    expect(scoresOf(own, '+99893', now).get('eskiz')).toEqual({ sent: 80, arrived: 64, at: now });
    expect(scoresOf([], '+99893', now).get('eskiz')).toEqual({ sent: 0, arrived: 0, at: now });
  });

  test('half weigh what they did after six hours, and of more than eighty trials the oldest weigh less', () => {
    const before = { sent: 40, arrived: 20, at: now };
    expect(withTrials(before, { sent: 0, arrived: 0 }, hours(6))).toEqual({
      sent: 20,
      arrived: 10,
      at: hours(6),
    });
    expect(withTrials(before, { sent: 120, arrived: 100 }, now)).toEqual({ sent: 80, arrived: 60, at: now });
    expect(withTrials(undefined, { sent: 2, arrived: 1 }, now)).toEqual({ sent: 2, arrived: 1, at: now });
    expect(withTrials(undefined, { sent: 0, arrived: 0 }, now)).toEqual({ sent: 0, arrived: 0, at: now });
  });

  test('a job has one draw, spread evenly', () => {
    expect(drawOf('019bcdef-0000-7000-8000-000000000000' as JobId)).toBe(0);
    expect(drawOf('019bcdef-0000-7000-8000-800000000000' as JobId)).toBe(0.5);
    expect(drawOf('019bcdef-0000-7000-8000-ffffffffffff' as JobId)).toBeLessThan(1);
  });
});
