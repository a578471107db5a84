import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { holdsContact } from '../../../../domain/pay/list/contact.ts';

describe('what leads a payee elsewhere is found', () => {
  test.each([
    'Grant https://navbat-bonus.uz/x',
    'HTTP://10.0.0.1',
    'see navbat.com.',
    'navbat-bonus.uz',
    'Navbat.UZ',
    'pay.navbat.uz/12',
    '1c.uz',
    't.me/navbat',
    'x.com',
    'bit.ly/3xyz',
    'Bonus.Lol',
    'gift.click',
    'сайт.рф',
    'навбат.онлайн',
    'xn--80ak6aa92e.com',
    'a.xn--p1ai',
    'ｎａｖｂａｔ．ｕｚ',
    'navbat。uz',
    'www.navbat',
    'tel:901234567',
    '@navbat_support',
    'ali@example',
    '1.2.3.4/pay',
    'Call +998 71 200-00-00',
    'tel. 998 (71) 200 00 00',
    '+7 (916) 123-45-67',
    'qo‘ng‘iroq: +998712000000',
  ])('%s', (text) => {
    expect(holdsContact(text)).toBe(true);
  });
});

/** As finance writes them. */
const purposes = [
  'Grant, November',
  'Ish haqi, noyabr 2026',
  'Oylik maosh 11.2026',
  'Oʻquv granti (2-chorak)',
  'Toʻlov № 12/3-sonli shartnoma boʻyicha',
  'YTT xizmatlari uchun',
  'YaTT Karimov A.B.',
  'Sh.Rashidov koʻchasi, 5-uy',
  'SH.RASHIDOV',
  'A.Karimov uchun',
  'A.B.Karimov',
  'ul.Navoi',
  'Dr.Aliyev',
  'Премия за ноябрь',
  'Оплата по договору №12/3 от 12.05.2026',
  'Оплата по дог.№5',
  'Оплата по дог.№ 5',
  'dog.№ 5',
  'Зарплата и т.д.',
  'т.е. аванс',
  'г.Ташкент, ул.Навои, д.5',
  'Выплата согласно п.4.2',
  '1C:Бухгалтерия',
  '1C 8.3',
  '1С:ЗУП 3.1',
  'v.2',
  'Navbat v.2.1',
  '12.05',
  '01.11-30.11',
  '100%',
  '1 234 567,50 soʻm',
  '1.234.567',
  '1 000 000.00 UZS',
  'Bonus + premiya',
  '+10% bonus',
  'C++ kursi',
  'R&D, Q4',
  'Delivery #4711',
  'Order 2026-11-30/17',
  'Shartnoma 123456789012',
  'Invoice 4711; part 2 of 3',
  'Hisob-faktura № 998',
  'INN 301234567',
  'e.g. travel, i.e. taxi',
  'Taxi 5.5 km',
  'Salary. November.',
  'Soʻrov boʻyicha... yakuniy',
  'Қишлоқ хўжалиги гранти',
  'МЧЖ «Навбат» хизмати',
  'OOO "Navbat"',
] as const;

test.each(purposes)('what a payment is for stays what it is: %s', (text) => {
  expect(holdsContact(text)).toBe(false);
});

const words = fc.constantFrom(
  ...purposes.flatMap((text) => text.split(' ')).filter((word) => !/^\+|^998|\d{3}/.test(word)),
);

test('in whatever order the words of a purpose stand, with a sign between them, it is one; with an address it is none', () => {
  const said = fc
    .tuple(fc.array(words, { minLength: 1, maxLength: 12 }), fc.constantFrom(' ', ', ', '; ', ' – ', '. '))
    .map(([some, between]) => some.join(between));
  fc.assert(
    fc.property(said, (text) => {
      expect(holdsContact(text)).toBe(false);
      expect(holdsContact(`${text} navbat-bonus.uz`)).toBe(true);
      expect(holdsContact(`(t.me/bonus) ${text}`)).toBe(true);
      expect(holdsContact(`${text}: +998 90 123 45 67`)).toBe(true);
    }),
    { numRuns: 2_000 },
  );
});

test('every amount and every date may stand in a purpose', () => {
  const date = fc
    .date({ min: new Date('2020-01-01'), max: new Date('2039-12-31'), noInvalidDate: true })
    .map((at) => at.toISOString().slice(0, 10).split('-').toReversed().join('.'));
  const amount = fc
    .integer({ min: 1, max: 10_000_000 })
    .chain((uzs) =>
      fc.constantFrom(
        `${uzs}`,
        `${uzs}.50`,
        `${uzs},50`,
        String(uzs).replaceAll(/\B(?=(?:\d{3})+$)/g, ' '),
        String(uzs).replaceAll(/\B(?=(?:\d{3})+$)/g, '.'),
      ),
    );
  fc.assert(
    fc.property(amount, date, (sum, day) => {
      expect(holdsContact(`${sum} soʻm, ${day}`)).toBe(false);
      expect(holdsContact(`${day} ${sum}`)).toBe(false);
      expect(holdsContact(`№${sum}/${day}`)).toBe(false);
    }),
    { numRuns: 2_000 },
  );
});
