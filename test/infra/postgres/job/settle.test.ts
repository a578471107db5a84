import { afterAll, beforeAll, expect, test } from 'vitest';
import { jobs } from '../../../../domain/jobs.ts';
import { kindsThatConfirm, waitsUntil } from '../../../../infra/postgres/job/settle.ts';
import { openGround } from '../world.ts';

let world: Awaited<ReturnType<typeof openGround>>;
beforeAll(async () => {
  world = await openGround();
});
afterAll(() => world.close());

test('a kind waits as its settle says, one without for ever, and an unknown one no more', async () => {
  const settles = { push: { waitsUntil: (now: string) => `(${now}::timestamptz + interval '1 hour')` } };
  const { rows } = await world.pool.query<{ kind: string; until: string | null }>(
    `select kind, ${waitsUntil({ jobs, settles }, `timestamptz '2026-01-15 10:00Z'`)}::text until
     from (values ('push'), ('webhook'), ('fax')) job (kind) order by kind`,
  );
  expect(
    rows.map(({ kind, until }) => [kind, until && (until === 'infinity' ? until : new Date(until))]),
  ).toEqual([
    ['fax', null],
    ['push', new Date('2026-01-15T11:00:00Z')],
    ['webhook', 'infinity'],
  ]);
});

test('only a kind that says so is called unconfirmed at its deadline', () => {
  expect(kindsThatConfirm(jobs)).toEqual(['otp-send']);
});
