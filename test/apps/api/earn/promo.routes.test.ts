import { expect, test } from 'vitest';
import { promoRoutes } from '../../../../apps/api/earn/promo/promo.routes.ts';
import { Problem } from '../../../../apps/http/problem.ts';
import type { Quota } from '../../../../domain/project/quota.ts';

test('each try is counted for the person and their address before a code is looked up, and without the count nothing is', async () => {
  const [counted, redeemed]: [Quota[], string[]] = [[], []];
  const promos = {
    redeem: async (_person: string, text: string) => {
      redeemed.push(text);
      return { ok: false, reason: 'promo-unknown' } as const;
    },
    list: () => Promise.reject(new Error('not asked')),
  };
  const [redeem] = promoRoutes({ promos });
  const ask = (countFurther: (...quotas: readonly Quota[]) => Promise<void>) =>
    redeem?.handle({
      body: { code: 'WELCOME26' },
      person: { personId: 'person-1' },
      ip: '2001:db8:1:2::3',
      countFurther,
    } as never);
  const full = new Problem(429, 'quota-exceeded', 'Too many.');
  await expect(ask(() => Promise.reject(full))).rejects.toBe(full);
  expect(redeemed).toEqual([]);
  await expect(ask(async (...quotas) => void counted.push(...quotas))).rejects.toMatchObject({
    type: 'promo-unknown',
  });
  expect(redeemed).toEqual(['WELCOME26']);
  const of = { name: 'promo-code', windowSeconds: 3_600, failsClosed: true };
  expect(counted).toEqual([
    { ...of, subject: 'person:person-1', limit: 10 },
    // The address, and the nets around it, which hold many.
    { ...of, subject: expect.stringContaining('2001:db8:1:2'), limit: 600 },
    { ...of, subject: expect.stringContaining('/56'), limit: 1_200 },
    { ...of, subject: expect.stringContaining('/48'), limit: 2_400 },
  ]);
});
