import { describe, expect, test } from 'vitest';
import { codeText, Templates } from '../../../domain/verify/text.ts';

const payment = { amount: '15000000', currency: 'UZS', payee: 'Korzinka' };

describe('the text of a code that moves money', () => {
  const words = { code: '123456', project: 'Shop', purposeTexts: null, payment, ttlSeconds: 300 };

  test.each(['uz', 'ru', 'en'] as const)(
    'says amount and payee in %s, whatever the template leaves out',
    (locale) => {
      const own = { uz: 'Kod {code}', ru: 'Код {code}', en: 'Code {code}' };
      for (const templates of [{}, own]) {
        const { text } = codeText({ ...words, locale }, templates);
        for (const part of ['123456', '150 000.00 UZS', 'Korzinka']) expect(text).toContain(part);
        expect(text).not.toMatch(/[{}]/);
      }
    },
  );

  test('says them once where the template does, and fills nothing in that a payee says', () => {
    const templates = { en: '{payee} gets {amount}: {code}' };
    expect(codeText({ ...words, locale: 'en' }, templates).text).toBe('Korzinka gets 150 000.00 UZS: 123456');
    const sly = { ...payment, payee: '{code}' };
    expect(codeText({ ...words, payment: sly, locale: 'en' }, templates).text).toBe(
      '{code} gets 150 000.00 UZS: 123456',
    );
  });

  test('says nothing of money where none moves', () => {
    const { text } = codeText({ ...words, payment: null, locale: 'en' }, { en: '{code} for {project}' });
    expect(text).toBe('123456 for Shop');
  });
});

describe('the text of a code', () => {
  const words = { code: '123456', project: 'Shop', purposeTexts: null, payment: null, locale: 'en' } as const;
  const minutes = (ttlSeconds: number) => codeText({ ...words, ttlSeconds }, { en: '{code} {minutes}' }).text;

  test('says whole minutes, a started one counted, and never none', () => {
    for (const [seconds, said] of [
      [1, 1],
      [60, 1],
      [61, 2],
      [300, 5],
      [600, 10],
    ] as const)
      expect(minutes(seconds)).toBe(`123456 ${said}`);
  });

  test('is the project’s own before its purpose’s, and its purpose’s before the standard one', () => {
    const purposeTexts = { uz: 'p {code}', ru: 'p {code}', en: 'p {code}' };
    const said = { ...words, ttlSeconds: 60, purposeTexts };
    expect(codeText(said, { en: 'own {code}' }).text).toBe('own 123456');
    expect(codeText(said, { ru: 'own {code}' }).text).toBe('p 123456');
    expect(codeText({ ...said, purposeTexts: null }, {}).text).toContain('code is 123456');
  });

  test('leaves alone what is no name of its own, and fills in nothing that a name says', () => {
    const said = { ...words, project: '{code}', ttlSeconds: 60 };
    expect(codeText(said, { en: '{project}: {secret} {code}' }).text).toBe('{code}: {secret} 123456');
  });
});

test('a template without the code, or of more than 480 characters, is refused', () => {
  const fill = (length: number) => '{code}'.padEnd(length, 'x');
  expect(Templates.safeParse({ uz: fill(480) }).success).toBe(true);
  for (const uz of [fill(481), '', 'code', '{ code }', '{CODE}'])
    expect(Templates.safeParse({ uz }).success, uz).toBe(false);
  expect(Templates.safeParse({ de: '{code}' }).success).toBe(false);
});
