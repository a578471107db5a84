import { afterAll, beforeAll, expect, test } from 'vitest';
import { PLATFORM_PROJECT_ID } from '../../../domain/project/platform.ts';
import { type Navbat, startNavbat, until } from '../../support/navbat.ts';

let navbat: Navbat;
beforeAll(async () => {
  navbat = await startNavbat({ processes: [], env: { NAVBAT_PRODUCTS: 'message,pay' } });
});
afterAll(() => navbat.stop());

test('the reconciler makes the book of the money, with the accounts that are its own', async () => {
  await navbat.start('workers/main.ts', ['reconciler'], 'worker ready', {
    MONEY_PROJECT: PLATFORM_PROJECT_ID,
  });
  const classes = await until(async () => {
    const { rows } = await navbat.db.query<{ class: string }>(
      'select class from ledger_account where project_id = $1 order by class',
      [PLATFORM_PROJECT_ID],
    );
    return rows.length > 0 ? rows.map((row) => row.class) : undefined;
  });
  expect(classes).toEqual(['adjustment', 'bank', 'commission', 'earnings', 'fee', 'promo']);
});

test('without a word of whose book it is, it is refused at its start', async () => {
  const started = navbat.start('workers/main.ts', ['reconciler'], 'worker ready');
  await expect(started).rejects.toThrow(/MONEY_PROJECT: missing, and NAVBAT_PRODUCTS has pay/);
});
