import type { Fixture } from './fixture.ts';
import { earnFixtures } from './earn/earn-fixtures.ts';
import { wordsFixtures } from './earn/words-fixtures.ts';
import { batchFixtures } from './pay/batch-fixtures.ts';
import { correctionFixtures } from './pay/correction-fixtures.ts';
import { financeFixtures } from './pay/finance-fixtures.ts';
import { listFixtures } from './pay/list-fixtures.ts';
import { linkFixtures } from './pay/link-fixtures.ts';
import { moneyFixtures } from './pay/money-fixtures.ts';
import { railFixtures } from './pay/rail-fixtures.ts';

/** Of the board's routes that products bring, by a line a product: what is taken out takes its line with it (`../removal.ts`). */
export const productFixtures: Readonly<Record<string, Fixture>> = {
  ...financeFixtures,
  ...batchFixtures,
  ...correctionFixtures,
  ...railFixtures,
  ...listFixtures,
};

/** Of the api's. */
export const productApiFixtures: Readonly<Record<string, Fixture>> = {
  ...linkFixtures,
  ...moneyFixtures,
  ...earnFixtures,
  ...wordsFixtures,
};
