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
  for (const subject of subjects)
    await audit.write(
      { by: 'a test', action: 'login', subject, detail: {} },
      new Date('2026-01-15T10:00:00Z'),
    );
  const read: string[] = [];
  let after: string | null = null;
  do {
    const page = await audit.page({}, 4, after);
    read.push(...page.map(({ subject }) => subject));
    after = page.at(-1)?.id ?? null;
  } while (after !== null);
  expect(read).toEqual(subjects.toReversed());
});
