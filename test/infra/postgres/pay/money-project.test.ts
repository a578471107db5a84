import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ProjectId } from '../../../../domain/shared/ids.ts';
import { openMoneyBook } from '../../../../infra/postgres/pay/money-project.ts';
import { openGround } from '../world.ts';

const AT_ONCE = 50;

let ground: Awaited<ReturnType<typeof openGround>>;
beforeAll(async () => {
  ground = await openGround();
});
afterAll(() => ground.close());

test('the book of the money is made once, however many processes start at once, and is left alone by later starts', async () => {
  const { projectId } = await ground.makeProject();
  const opened = await Promise.all(
    Array.from({ length: AT_ONCE }, () => openMoneyBook(ground.pool, { MONEY_PROJECT: projectId })),
  );
  expect(new Set(opened)).toEqual(new Set([projectId]));
  const rows = async () =>
    (
      await ground.pool.query(
        `select b.*, (select array_agg(a.class::text order by a.class) from ledger_account a where a.project_id = b.project_id) classes
         from ledger_book b where project_id = $1`,
        [projectId],
      )
    ).rows;
  const [book] = await rows();
  expect(book).toMatchObject({
    currency: 'UZS',
    next_n: '1',
    classes: ['adjustment', 'bank', 'commission', 'earnings', 'fee', 'promo'],
  });
  await openMoneyBook(ground.pool, { MONEY_PROJECT: projectId });
  expect(await rows()).toEqual([book]);
});

test('a process does not start without the project, and says what to set', async () => {
  const missing = openMoneyBook(ground.pool, { MONEY_PROJECT: undefined });
  await expect(missing).rejects.toThrow(
    expect.objectContaining({
      name: 'ConfigError',
      message: expect.stringContaining('MONEY_PROJECT: missing'),
    }),
  );
  const id = ProjectId.parse(randomUUID());
  await expect(openMoneyBook(ground.pool, { MONEY_PROJECT: id })).rejects.toThrow(
    expect.objectContaining({
      name: 'ConfigError',
      message: expect.stringContaining(`MONEY_PROJECT: there is no project ${id}`),
    }),
  );
});
