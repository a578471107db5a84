import { describe, expect, test } from 'vitest';
import { amountText, movesMoney, Payment } from '../../../domain/shared/payment.ts';
import { SendRequest } from '../../../domain/verify/send-command.ts';

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
