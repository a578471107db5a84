import { describe, expect, test } from 'vitest';
import { amountText, movesMoney, Payment } from '../../../domain/shared/payment.ts';
import { SendRequest } from '../../../domain/verify/send.ts';
import { codeText } from '../../../domain/verify/text.ts';

const payment = { amount: '15000000', currency: 'UZS', payee: 'Korzinka' };
const to = '+998901234567';

describe('a payment', () => {
  test.each([
    ['15000000', 'UZS', '150 000.00 UZS'],
    ['5', 'UZS', '0.05 UZS'],
    ['100', 'UZS', '1.00 UZS'],
    ['123456', 'JPY', '123 456 JPY'],
    ['1234', 'KWD', '1.234 KWD'],
    ['999999999999999999', 'USD', '9 999 999 999 999 999.99 USD'],
  ])('of %s in %s reads %s', (amount, currency, text) => {
    expect(amountText({ amount, currency, payee: 'x' })).toBe(text);
  });

  test.each(['0', '-1', '01', '1.5', '1e3', '', '1'.repeat(19), 15])('refuses the amount %j', (amount) => {
    expect(Payment.safeParse({ ...payment, amount }).success).toBe(false);
  });

  test.each(['uzs', 'UZX', 'SUM', ''])('refuses the currency %j', (currency) => {
    expect(Payment.safeParse({ ...payment, currency }).success).toBe(false);
  });

  test.each(['', ' ', ' x', 'a\nb', 'a\u2028b', 'a\u202eb', 'x'.repeat(65)])(
    'refuses a payee that does not read as it was meant: %j',
    (payee) => {
      expect(Payment.safeParse({ ...payment, payee }).success).toBe(false);
    },
  );

  test('takes 64 characters of a payee, and nothing beside its three fields', () => {
    expect(Payment.safeParse({ ...payment, payee: 'ў'.repeat(64) }).success).toBe(true);
    expect(Payment.safeParse({ ...payment, note: 'x' }).success).toBe(false);
  });
});

describe('a purpose that moves money', () => {
  test.each(['pay', 'payout', 'withdraw', 'transfer', 'money.out', 'card-payment'])('is %s', (purpose) => {
    expect(movesMoney(purpose)).toBe(true);
    const asked = SendRequest.safeParse({ to, purpose });
    expect(asked.error?.issues).toMatchObject([{ path: ['payment'] }]);
    expect(SendRequest.safeParse({ to, purpose, payment }).success).toBe(true);
  });

  test('is none of these, save with a payment', () => {
    for (const purpose of ['login', 'verify', 'door']) {
      expect(movesMoney(purpose)).toBe(false);
      expect(movesMoney(purpose, payment)).toBe(true);
      expect(SendRequest.safeParse({ to, purpose }).success).toBe(true);
    }
    expect(SendRequest.safeParse({ to }).success).toBe(true);
  });
});

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
