import { expect, test } from 'vitest';
import type { AskBalance, BalanceReading } from '../../../domain/verify/provider-balance.ts';
import type { SmsProvider } from '../../../domain/verify/sms-provider.ts';
import { askBalances, BALANCE_MS } from '../../../workers/verify/balances.ts';

/** One round over these accounts: what was kept and what was shown. */
async function round(accounts: Partial<Record<SmsProvider, AskBalance>>) {
  const kept: [SmsProvider, BalanceReading][] = [];
  const shown: [SmsProvider, bigint | null][] = [];
  const due = await askBalances({
    accounts: new Map(Object.entries(accounts) as [SmsProvider, AskBalance][]),
    balances: {
      record: async (provider, reading) => {
        kept.push([provider, reading]);
      },
    },
    show: (provider, micros) => shown.push([provider, micros]),
  });
  return { due, kept, shown };
}
const telling =
  (reading: BalanceReading): AskBalance =>
  async () =>
    reading;

test('each account is asked, kept and shown, and is due again in five minutes', async () => {
  const told = { kind: 'told', micros: 7n } as const;
  const { due, kept, shown } = await round({
    eskiz: telling(told),
    'play-mobile': telling({ kind: 'nothing-new' }),
  });
  expect(due).toBe(BALANCE_MS);
  expect(kept).toEqual([
    ['eskiz', told],
    ['play-mobile', { kind: 'nothing-new' }],
  ]);
  expect(shown).toEqual([['eskiz', 7n]]);
});

test('one that is not answered in time is a failure, and keeps no other one waiting', async () => {
  const hanging: AskBalance = (signal) =>
    new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
  const told = { kind: 'told', micros: null } as const;
  const { kept } = await round({ eskiz: hanging, 'play-mobile': telling(told) });
  expect(kept).toEqual([
    ['eskiz', { kind: 'failed', reason: 'timeout' }],
    ['play-mobile', told],
  ]);
}, 20_000);

test('a bug is no failure of the provider’s, and is told when the accounts after it were asked', async () => {
  const asked: string[] = [];
  const broken = round({
    eskiz: () => Promise.reject(new Error('a bug')),
    'play-mobile': () => {
      asked.push('play-mobile');
      return Promise.resolve({ kind: 'nothing-new' });
    },
  });
  await expect(broken).rejects.toThrow('a bug');
  expect(asked).toEqual(['play-mobile']);
});
