import { expect, test } from 'vitest';
import { openCli } from '../open-cli.ts';

const { ground, json, refusal } = await openCli();

test('a phone of a member of staff is declared at the command line, once, and leaves a row of the audit without it', async () => {
  const { id } = await json(['staff', 'create', 'ali@example.uz', '--role', 'finance']);
  const declare = ['staff-phone', 'declare', 'Ali@example.uz', '+998 90 111-22-33'];
  for (let times = 0; times < 2; times += 1)
    expect(await json(declare)).toEqual({ email: 'ali@example.uz', phone: '+998901112233' });
  expect(await json(['staff-phone', 'list'])).toEqual([
    { email: 'ali@example.uz', phone: '+998901112233', declared_at: expect.any(String) },
  ]);
  const { rows } = await ground.pool.query('select staff_id, phone, declared_by from payout_handler');
  expect(rows).toEqual([{ staff_id: id, phone: '+998901112233', declared_by: null }]);
  const { rows: audit } = await ground.pool.query<{ detail: object }>(
    `select detail from audit where action = 'staff.phone'`,
  );
  expect(audit).toHaveLength(2);
  expect(JSON.stringify(audit)).not.toContain('1112233');
  expect(await refusal(['staff-phone', 'declare', 'nobody@example.uz', '+998901112233'])).toContain(
    'no login nobody@example.uz',
  );
  expect(await refusal(['staff-phone', 'declare', 'ali@example.uz', '901112233'])).toContain(
    'expected a phone number in international form',
  );
});
