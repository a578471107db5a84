import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { feeOf, feeRateOf } from '../../../../domain/pay/payout/fee.ts';

/** As the functions in Postgres bound a withdrawal. */
const GROSS_MIN = 1_000_000n;
const GROSS_MAX = 500_000_000n;

describe('a fee', () => {
  test('is written in tiyin, with a share where there is one', () => {
    expect(feeRateOf('0')).toEqual({ flat: 0n, hundredths: 0n });
    expect(feeRateOf('100000')).toEqual({ flat: 100_000n, hundredths: 0n });
    expect(feeRateOf('100000+1.5%')).toEqual({ flat: 100_000n, hundredths: 150n });
    expect(feeRateOf('500000+9.99%')).toEqual({ flat: 500_000n, hundredths: 999n });
    expect(feeRateOf('0+0.05%')).toEqual({ flat: 0n, hundredths: 5n });
  });

  test.each(['', '-1', '500001', '1.5%', '0+10%', '0+1.555%', '0+-1%', '1e3', ' 0', '0+1,5%'])(
    'is not %j',
    (text) => {
      expect(() => feeRateOf(text)).toThrow('expected');
    },
  );

  test('and the net are the gross to the tiyin, for each amount of a range', () => {
    for (const text of ['0', '1', '500000', '0+0.01%', '100000+1.5%', '500000+9.99%']) {
      const rate = feeRateOf(text);
      for (let gross = GROSS_MIN; gross < GROSS_MIN + 30_000n; gross += 1n) {
        const fee = feeOf(gross, rate);
        if (fee < 0n || gross - fee <= 0n) throw new Error(`${text} of ${gross} is ${fee}`);
        // One tiyin more is no lower fee, and at most one tiyin more of it.
        const step = feeOf(gross + 1n, rate) - fee;
        if (step !== 0n && step !== 1n) throw new Error(`${text} of ${gross}: ${step} more`);
      }
    }
  });

  test('is its flat part and the share rounded down, whatever the amount', () => {
    fc.assert(
      fc.property(
        fc.bigInt(GROSS_MIN, GROSS_MAX),
        fc.bigInt(0n, 500_000n),
        fc.bigInt(0n, 999n),
        (gross, flat, hundredths) => {
          const fee = feeOf(gross, { flat, hundredths });
          const share = (fee - flat) * 10_000n;
          return (
            fee >= 0n &&
            gross - fee > 0n &&
            share <= gross * hundredths &&
            share + 10_000n > gross * hundredths
          );
        },
      ),
    );
  });
});
