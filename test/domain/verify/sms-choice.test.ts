import { describe, expect, test } from 'vitest';
import type { JobId, ProjectId } from '../../../domain/shared/ids.ts';
import {
  asTold,
  type Counts,
  countsOf,
  drawOf,
  type OperatorScore,
  orderRoute,
  type Scores,
  withTrials,
} from '../../../domain/verify/sms-choice.ts';
import { type SmsProvider, smsProviders } from '../../../domain/verify/sms-provider.ts';
import { dice } from './sms-simulation.ts';

const now = new Date('2026-01-15T10:00:00Z');
const hours = (count: number) => new Date(now.getTime() + count * 3_600_000);
const route = [
  { provider: 'eskiz', priceMicros: 10_000 },
  { provider: 'play-mobile', priceMicros: 11_000 },
  { provider: 'twilio', priceMicros: 300_000 },
] as const;
const countsWith = (shares: Partial<Record<SmsProvider, number>>, sent = 80): Counts =>
  new Map(
    Object.entries(shares).map(([provider, share]) => [
      provider as SmsProvider,
      { sent, arrived: sent * share, at: now },
    ]),
  );
/** By its own trials alone. */
const measured = (shares: Partial<Record<SmsProvider, number>>, sent = 80): Scores => ({
  own: countsWith(shares, sent),
  others: [],
});
/** No trial: the draw is above all slices. */
const usual = {
  route,
  scores: undefined as Scores | undefined,
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

describe('what other projects tell', () => {
  const healthy = { eskiz: 0.9, 'play-mobile': 0.9 };
  const losing = { eskiz: 0, 'play-mobile': 1 };
  const told = (shares: Partial<Record<SmsProvider, number>>, sent = 10_000) =>
    asTold(countsWith(shares, sent), now);
  const firstOf = (own: Counts, others: readonly Counts[]) => orderOf({ scores: { own, others } })[0];
  const nothing: Counts = new Map();

  test('is at most seven trials of each provider, at the share that it had', () => {
    expect(told({ eskiz: 0.75 }, 10_000).get('eskiz')).toEqual({ sent: 7, arrived: 5.25, at: now });
    expect(told({ eskiz: 0.75 }, 4).get('eskiz')).toEqual({ sent: 4, arrived: 3, at: now });
    expect(asTold(countsWith({ eskiz: 0.5 }, 8), hours(6)).get('eskiz')).toMatchObject({
      sent: 4,
      arrived: 2,
    });
  });

  test('moves a project that has no trials where there are four, and none decides: three leave it as listed', () => {
    const many = (count: number) => Array.from({ length: count }, () => told(losing));
    expect(firstOf(nothing, many(3))).toBe('eskiz listed');
    expect(firstOf(nothing, many(4))).toBe('play-mobile measured');
    // All five together would count eskiz as 0.78 of the best.
    const four = Array.from({ length: 4 }, () => told(healthy));
    expect(firstOf(nothing, [...many(1), ...four])).toBe('eskiz listed');
    expect(firstOf(nothing, [...many(2), ...four])).toBe('play-mobile measured');
  });

  test('weighs less than what a project sees itself, however many tell it', () => {
    const hundred = Array.from({ length: 100 }, () => told({ eskiz: 0.7, 'play-mobile': 0.9 }));
    expect(firstOf(countsWith(healthy, 20), hundred)).toBe('play-mobile measured');
    expect(firstOf(countsWith(healthy, 80), hundred)).toBe('eskiz listed');
  });

  test('of one other project changes no order that the own trials and the rest do not prove', () => {
    const random = dice(1);
    const below = (most: number) => Math.floor(random() * most);
    const pick = <T>(...from: readonly T[]) => from[below(from.length)] as T;
    // About the lines of 0.5 and 0.9 of the best, and of 20 trials.
    const anyCounts = (sentOf: () => number): Counts =>
      new Map(
        smsProviders.map((provider) => {
          const sent = sentOf();
          return [provider, { sent, arrived: sent * pick(0, 0.4, 0.5, 0.8, 0.9, 1, random()), at: now }];
        }),
      );
    let changes = 0;
    for (let time = 0; time < 5_000; time++) {
      const prices = Array.from({ length: 3 }, () => pick(9_000, 10_200, 18_000, 300_000));
      const anyRoute = smsProviders.map((provider, nth) => ({ provider, priceMicros: prices[nth] ?? 0 }));
      const orderBy = (own: Counts, others: readonly Counts[]) =>
        orderOf({ route: anyRoute, scores: { own, others } }).join();
      const own = anyCounts(() => pick(0, 13, 20, 80, below(90)));
      const rest = Array.from({ length: below(7) }, () =>
        asTold(
          anyCounts(() => below(30)),
          now,
        ),
      );
      const one = asTold(
        anyCounts(() => pick(0, 7, 640, 1_000_000, below(30))),
        now,
      );
      const withoutIt = [orderBy(own, []), orderBy(pooled(own, rest), [])];
      expect(withoutIt).toContain(orderBy(own, [...rest, one]));
      // That the rest of them changes anything.
      changes += Number(orderBy(own, rest) !== orderBy(own, []));
    }
    expect(changes).toBeGreaterThan(100);
  });
});

/** All of one's own, and of the others twenty trials at most. */
const pooled = (own: Counts, others: readonly Counts[]): Counts =>
  new Map(
    smsProviders.map((provider) => {
      const sum = (of: 'sent' | 'arrived') =>
        others.reduce((total, counts) => total + (counts.get(provider)?.[of] ?? 0), 0);
      const weight = Math.min(1, 20 / Math.max(1, sum('sent')));
      const { sent, arrived } = own.get(provider) ?? { sent: 0, arrived: 0 };
      return [
        provider,
        { sent: sent + sum('sent') * weight, arrived: arrived + sum('arrived') * weight, at: now },
      ];
    }),
  );

describe('scores', () => {
  const row = (operator: string, provider: SmsProvider, sent: number, arrived: number): OperatorScore => ({
    projectId: '019bcdef-0000-7000-8000-000000000000' as ProjectId,
    operator,
    provider,
    sent,
    arrived,
    at: now,
  });

  test('an operator of which little is known is seen as all others are, as far as a proof needs it', () => {
    const rows = [row('+99890', 'eskiz', 200, 100), row('+99890', 'play-mobile', 200, 180)];
    expect(countsOf(rows, '+99893', now).get('eskiz')).toEqual({ sent: 20, arrived: 10, at: now });
    const own = [...rows, row('+99893', 'eskiz', 60, 54)];
    expect(countsOf(own, '+99893', now).get('eskiz')).toEqual({ sent: 80, arrived: 64, at: now });
    expect(countsOf([], '+99893', now).get('eskiz')).toEqual({ sent: 0, arrived: 0, at: now });
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
