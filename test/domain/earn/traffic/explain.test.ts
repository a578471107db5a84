import { describe, expect, test } from 'vitest';
import { type Appeal, APPEAL_DAYS_MAX, appealUntil } from '../../../../domain/earn/day/appeal.ts';
import { addressClasses } from '../../../../domain/earn/address/class.ts';
import { dayStates, explainDay, type KeptDay } from '../../../../domain/earn/traffic/explain.ts';
import { flaws } from '../../../../domain/earn/traffic/flaws.ts';
import { reasonSentence, stateSentence } from '../../../../domain/earn/traffic/words.ts';
import { Locale, mainLocales } from '../../../../domain/shared/locale.ts';
import { MB } from './session.ts';

const closedAt = new Date('2026-12-03T00:05:00+05:00');
const day: KeptDay = {
  sessionId: '0198c2f4-7a10-7b3e-9f52-1c0d7e6a4b21' as KeptDay['sessionId'],
  day: '2026-11-30',
  bytes: 100n * MB,
  payable: 60n * MB,
  tiyinPerMb: 100,
  micros: 60_000_000n,
  gatewayBytes: 60n * MB,
  verdict: 'pay',
  reason: null,
  unpaid: [
    { reason: 'counterpart-lower', bytes: 30n * MB },
    { reason: 'too-fast', bytes: 10n * MB },
  ],
  closedAt: null,
  postedMicros: 0n,
  isTakenBack: false,
};
const withWhole = (reason: string) => [...day.unpaid, { reason, bytes: day.payable }];

describe('each byte of a day is paid, or has a reason', () => {
  test.each<[string, Partial<KeptDay>, string, bigint]>([
    ['that is open', {}, 'open', 60n * MB],
    ['that is closed', { closedAt }, 'paid', 60n * MB],
    [
      'in review',
      { verdict: 'review', reason: 'no-counterpart', unpaid: withWhole('no-counterpart') },
      'review',
      0n,
    ],
    [
      'that is unpaid',
      { verdict: 'unpaid', reason: 'address-tor', unpaid: withWhole('address-tor') },
      'unpaid',
      0n,
    ],
    ['that was taken back', { closedAt, isTakenBack: true }, 'taken-back', 0n],
    [
      'that was taken back and had nothing',
      { closedAt, isTakenBack: true, payable: 0n, bytes: 40n * MB },
      'taken-back',
      0n,
    ],
  ])('of one %s', (_which, change, state, paidBytes) => {
    const of = { ...day, ...change };
    const explained = explainDay(of);
    expect(explained).toMatchObject({ state, paidBytes });
    expect(explained.unpaid.reduce((sum, { bytes }) => sum + bytes, 0n)).toBe(of.bytes - paidBytes);
    expect(explained.unpaid.every(({ bytes }) => bytes > 0n)).toBe(true);
  });
});

describe('a person reads', () => {
  const codes = [
    ...flaws,
    ...addressClasses.map((one) => `address-${one}`),
    'address-data-old',
    'counterpart-lower',
    'no-counterpart',
    'counterpart-differs',
    'decided',
    'taken-back',
  ];
  test.each(codes)('a sentence for %s, another in each language', (code) => {
    const sentences = mainLocales.map((locale) => reasonSentence(code, locale));
    expect(new Set(sentences).size).toBe(mainLocales.length);
    for (const sentence of sentences) {
      expect(sentence).toMatch(/^\p{Lu}.*\.$/u);
      // The sentence of a code that nobody has written words for.
      expect(sentence).not.toContain(code);
    }
    expect(reasonSentence(code, 'ru')).toMatch(/[а-я]{4}/);
  });

  test('something for a code of a later version too', () => {
    expect(reasonSentence('something-new', 'en')).toBe('It is not paid: something-new.');
  });

  test.each(dayStates)('how a day stands that is %s, in their language or one near it', (state) => {
    expect(new Set(mainLocales.map((locale) => stateSentence(state, locale))).size).toBe(mainLocales.length);
    for (const locale of Locale.options) expect(stateSentence(state, locale)).toMatch(/^\p{Lu}.*\.$/u);
    expect(stateSentence(state, 'kk')).toBe(stateSentence(state, 'ru'));
    expect(stateSentence(state, 'uz-Cyrl')).toBe(stateSentence(state, 'uz'));
  });
});

describe('a day can be appealed', () => {
  const end = Date.parse('2026-12-01T00:00:00+05:00');
  const until = new Date(end + APPEAL_DAYS_MAX * 86_400_000);
  const appeal = { state: 'upheld' } as Appeal;
  test.each([
    ['in review', 'review', null, -1, until],
    ['unpaid', 'unpaid', null, -1, until],
    ['taken back', 'taken-back', null, -1, until],
    ['unpaid, too long ago', 'unpaid', null, 0, null],
    ['unpaid and appealed', 'unpaid', appeal, -1, null],
    ['open', 'open', null, -1, null],
    ['paid', 'paid', null, -1, null],
  ] as const)('that is %s', (_which, state, made, ms, expected) => {
    const now = new Date(until.getTime() + ms);
    expect(appealUntil({ day: day.day, state, appeal: made }, now)).toEqual(expected);
  });
});
