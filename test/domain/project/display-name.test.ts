import { describe, expect, test } from 'vitest';
import { isOfOneAlphabet, isReservedName, nameSkeleton } from '../../../domain/project/display-name.ts';

describe('a name that reads as Navbat’s own is reserved', () => {
  test.each([
    'Navbat',
    'NAVBAT',
    'Навбат',
    'НАВБАТ',
    'Nаvbаt',
    'Návbät',
    'N a v b a t',
    'Nav-bat',
    'N@vb4t',
    'Ｎａｖｂａｔ',
    'Nav\u200Bbat',
    'Navbat Support',
    'my.navbat.uz',
  ])('%j', (name) => {
    expect(isReservedName(name)).toBe(true);
  });

  test('and so is one of which nothing can be read', () => {
    for (const name of ['', '—', '...', '🙂']) expect(isReservedName(name)).toBe(true);
  });

  test('and no other name is', () => {
    for (const name of ['Korzinka', 'Банк', 'Nav', 'Bat', 'Nabvat', 'Navoiy bozori', "O'zbekiston"])
      expect(isReservedName(name), name).toBe(false);
  });
});

test('two names that a person takes for each other have one skeleton', () => {
  for (const [one, other] of [
    ['Korzinka', 'KORZINKA'],
    ['Korzinka', 'Коrzinkа'],
    ['Paypal', 'PayPaI'],
    ['Modern', 'Modem'],
    ['Bank', 'B\u0430nk'],
    ['click', 'dick'],
    ['wow', 'vvovv'],
    ['Cafe 24', 'Café-24'],
  ] as const)
    expect(nameSkeleton(one), other).toBe(nameSkeleton(other));
  expect(nameSkeleton('Korzinka')).not.toBe(nameSkeleton('Makro'));
});

test('each word is written in one alphabet, and two words may be in two', () => {
  for (const name of ['Korzinka', 'Банк Ipoteka', 'Oʻzbekiston 24/7', 'Тест2'])
    expect(isOfOneAlphabet(name), name).toBe(true);
  for (const name of ['Bаnk', 'Банk', 'Αlpha', '支付', 'Bank支'])
    expect(isOfOneAlphabet(name), name).toBe(false);
});
