import pg from 'pg';
import type { ProjectId } from '../../../domain/shared/ids.ts';
import { ConfigError, type ConfigOf } from '../../process/config.ts';

type Asked = Pick<ConfigOf<'MONEY_PROJECT'>, 'MONEY_PROJECT'>;

const EXPECTED =
  'Expected: the id of the project whose book the money is in (npm run navbat -- project list).';

/**
 * Whose book the money is in.
 *
 * @throws ConfigError where nobody said.
 */
export function moneyProjectOf({ MONEY_PROJECT }: Asked): ProjectId {
  if (MONEY_PROJECT === undefined)
    throw new ConfigError(`MONEY_PROJECT: missing, and NAVBAT_PRODUCTS has pay. ${EXPECTED}`);
  return MONEY_PROJECT;
}

/** Of `ledger_book_open`: there is no such project. */
const NO_SUCH_PROJECT = 'NB003';

/**
 * The book of the money, made where it is missing: each process that needs it asks at its start, and any number may at once.
 *
 * @throws ConfigError where there is no such project.
 */
export async function openMoneyBook(pool: pg.Pool, config: Asked): Promise<ProjectId> {
  const book = moneyProjectOf(config);
  try {
    await pool.query('select ledger_book_open($1)', [book]);
  } catch (error) {
    if (error instanceof pg.DatabaseError && error.code === NO_SUCH_PROJECT)
      throw new ConfigError(`MONEY_PROJECT: there is no project ${book}. ${EXPECTED}`, { cause: error });
    throw error;
  }
  return book;
}

/**
 * As above, for the start of a process, which waits for no Postgres: the reconciler makes the book when it is back.
 *
 * @throws ConfigError where nobody said whose, or there is no such project.
 */
export async function moneyBookAtStart(pool: pg.Pool, config: Asked): Promise<ProjectId> {
  await openMoneyBook(pool, config).catch((error: unknown) => {
    if (error instanceof ConfigError) throw error;
  });
  return moneyProjectOf(config);
}
