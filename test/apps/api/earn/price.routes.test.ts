import { expect, test } from 'vitest';
import { priceRoutes } from '../../../../apps/api/earn/price.routes.ts';
import { MoneyRefusedError } from '../../../../domain/pay/refusals.ts';

test('a price that Postgres refuses is told as money is everywhere: who may not is 403, and what is held by another 503', async () => {
  const refused = (kind: 'role' | 'busy') => () => Promise.reject(new MoneyRefusedError({ kind }));
  const prices = {
    of: () => Promise.resolve(null),
    changes: () => Promise.reject(new Error('not asked')),
    set: refused('role'),
    agree: refused('busy'),
    withdraw: refused('busy'),
  };
  const ask = (method: string, path: string) =>
    priceRoutes({ prices })
      .find((route) => route.method === method && route.path === path)
      ?.handle({
        body: { day: '2026-12-01', tiyin_per_mb: 100 },
        params: { id: '0190a3b5-7c1e-7f3a-9d2b-4f6a8c0e1d2f' },
        staff: { id: 'staff-1' },
      } as never);
  await expect(ask('post', '/api/admin/daily_price')).rejects.toMatchObject({ status: 403 });
  await expect(ask('post', '/api/admin/daily_price/{id}/agree')).rejects.toMatchObject({ status: 503 });
});
