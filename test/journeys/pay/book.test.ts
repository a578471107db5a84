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

const NO_PROJECT = '00000000-0000-4000-8000-000000000000';

test.each([
  ['workers/main.ts', 'reconciler', 'worker ready'],
  ['apps/api/main.ts', '', 'api ready'],
  ['apps/board/main.ts', '', 'board ready'],
])(
  '%s %s says whose book is not told, or is of no project, and does not start',
  async (script, args, ready) => {
    const start = (more = {}) => navbat.start(script, args.split(' '), ready, more);
    await expect(start({ NAVBAT_PRODUCTS: 'message,pay' })).rejects.toThrow(
      /MONEY_PROJECT: missing, and NAVBAT_PRODUCTS has pay/,
    );
    await expect(start({ MONEY_PROJECT: NO_PROJECT })).rejects.toThrow(
      new RegExp(`^MONEY_PROJECT: there is no project ${NO_PROJECT}\\. Expected: `, 'm'),
    );
  },
);
