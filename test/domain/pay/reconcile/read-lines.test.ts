import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { beginningOfDay } from '../../../../domain/pay/ledger/head.ts';
import type { RailPayment } from '../../../../domain/pay/rail/port.ts';
import { linesOfBankFile, linesOfPayments } from '../../../../domain/pay/reconcile/read-lines.ts';
import { bankFile, document, OURS } from '../bank-file/file.ts';

const keyOf = (text: string) => createHash('sha256').update(text).digest('base64url');
const seenAt = new Date('2026-11-29T12:00:00Z');
const paidAt = new Date('2026-11-29T11:00:00Z');

const paid = (change: Partial<RailPayment> = {}): RailPayment => ({
  uuid: 'u-1',
  reference: 'd-1',
  status: 'success',
  amount: 100n,
  commission: 2n,
  total: 102n,
  paidAt,
  ...change,
});

describe('payments of a rail of cards', () => {
  const read = (...payments: RailPayment[]) => linesOfPayments(payments, { keyOf, seenAt });

  test('that were paid left the wallet; what was not is no line', () => {
    const statuses = ['draft', 'progress', 'billing', 'error', 'success'] as const;
    expect(read(...statuses.map((status) => paid({ status })))).toEqual([
      {
        key: keyOf('out u-1'),
        direction: 'out',
        uuid: 'u-1',
        reference: 'd-1',
        amount: 100n,
        commission: 2n,
        at: paidAt,
        says: null,
      },
    ]);
  });

  test('that came back are a line each way, the first of them the one that was there before', () => {
    const [out, back] = read(paid({ status: 'revert' }));
    expect(out).toEqual(read(paid())[0]);
    expect(back).toMatchObject({ direction: 'back', at: seenAt });
    expect(back?.key).not.toBe(out?.key);
    expect(linesOfPayments([paid({ status: 'revert' })], { keyOf, seenAt: paidAt })[1]?.key).toBe(back?.key);
  });
});

describe("a bank's documents", () => {
  const other = document().payee;
  const read = (...documents: ReturnType<typeof document>[]) =>
    linesOfBankFile(bankFile({ documents }), { keyOf });

  test('leave our account or come to it, on the day of the bank', () => {
    const { payer, payee } = document();
    const back = document({ payer: payee, payee: payer, bookedOn: '2026-11-30' });
    expect(read(document(), back)).toMatchObject([
      {
        direction: 'out',
        reference: '01932f5e-7c31-7abc-8def-001122334455',
        amount: 123_456n,
        at: beginningOfDay('2026-11-29'),
      },
      { direction: 'back', at: beginningOfDay('2026-11-30') },
    ]);
    expect(back.payee.account).toBe(OURS);
  });

  test('have one key in whatever order they come; of two that are alike each has its own', () => {
    const [a, b] = [document(), document({ number: '2' })];
    const keys = (...all: ReturnType<typeof document>[]) => read(...all).map(({ key }) => key);
    expect(keys(b, a).toReversed()).toEqual(keys(a, b));
    const twice = keys(a, a, b);
    expect(new Set(twice).size).toBe(3);
    // The day's statement of the morning has the first of them alone.
    expect(twice.slice(0, 1)).toEqual(keys(a));
    for (const change of [
      { number: '9' },
      { day: '2026-11-28' },
      { amount: 1n },
      { purpose: 'x' },
      { bookedOn: '2026-11-29' },
      { payee: { ...other, account: '22618000100765432009' } },
    ])
      expect(keys(document(change))[0], JSON.stringify(Object.keys(change))).not.toBe(twice[0]);
  });

  test('show whom they name and why, and no number of a card or an account', () => {
    const [line] = read(
      document({
        purpose:
          'NB-01932f5e-7c31-7abc-8def-001122334455 карта 8600 1234-5678 9012, счёт 22618000100765432001\u0007',
      }),
    );
    expect(line?.says).toBe('№1 Алишер Қодиров: карта ••••9012, счёт ••••2001');
    expect(read(document({ purpose: 'x'.repeat(500) }))[0]?.says).toHaveLength(200);
  });
});
