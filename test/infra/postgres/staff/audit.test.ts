import { afterAll, beforeAll, expect, test } from 'vitest';
import { auditLog } from '../../../../infra/postgres/staff/audit.ts';
import { type Ground, openGround } from '../../../support/api.ts';

let ground: Ground;
beforeAll(async () => {
  ground = await openGround();
});
afterAll(() => ground.close());

test('the audit is read newest first, page by page, past its ninth row too', async () => {
  const audit = auditLog(ground.pool);
  const subjects = Array.from({ length: 25 }, (_, n) => `subject ${n}`);
  for (const subject of subjects) await audit.write({ by: 'a test', action: 'login', subject, detail: {} });
  const read: string[] = [];
  let after: string | null = null;
  do {
    const page = await audit.page({}, 4, after);
    read.push(...page.map(({ subject }) => subject));
    after = page.at(-1)?.id ?? null;
  } while (after !== null);
  expect(read).toEqual(subjects.toReversed());
});

test('whoever runs the processes chooses neither the number nor the time of a row', async () => {
  const forge = (columns: string, values: string) =>
    ground.pool.query(
      `insert into audit (${columns}, actor, action, subject) overriding system value values (${values}, 'a@b.example', 'login', 'forged')`,
    );
  await expect(forge('id', '999999999999')).rejects.toMatchObject({ code: '42501' });
  await expect(forge('at', `'2020-01-01'`)).rejects.toMatchObject({ code: '42501' });
  const before = (await ground.pool.query<{ now: Date }>('select navbat_now() now')).rows[0]?.now;
  await auditLog(ground.pool).write({ by: 'a test', action: 'logout', subject: 'timed', detail: {} });
  const [row] = await auditLog(ground.pool).page({ subject: 'timed' }, 1, null);
  expect(Number(row?.at)).toBeGreaterThanOrEqual(Number(before));
  expect(Number(row?.at)).toBeLessThan(Number(before) + 60_000);
});
