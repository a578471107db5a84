import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { opsCommands } from '../../../../infra/postgres/staff/ops-commands.ts';
import { openWorld, orderFor, sendCode, type World } from './world.ts';
import { countFinishedBy } from '../../../support/finished-jobs.ts';
import { jobs } from '../../../../domain/jobs.ts';
import { settles } from '../../../../infra/postgres/settles.ts';

let world: World;
let caller: Awaited<ReturnType<World['makeProject']>>;
let next = 0;
const freshPhone = () => `+99897${100 + next++}0000`;

beforeAll(async () => {
  world = await openWorld();
  caller = await world.makeProject({ sends_per_hour: 100 });
});
afterAll(() => world.close());

const send = (phone = freshPhone()) => sendCode(world, orderFor(caller, phone));
const check = (id: string, code: string) =>
  world.checks.check({
    projectId: caller.projectId,
    mode: 'live',
    of: { id, purpose: null, by: 'service' },
    code,
  });
const wrong = (code: string) => (code === '111111' ? '222222' : '111111');

test('a job that an approval ends is counted once', async () => {
  const { id, code } = await send();
  expect(await countFinishedBy(() => check(id, code))).toEqual({ 'otp-send completed': 1 });
  expect(await countFinishedBy(() => check(id, code))).toEqual({});
});

test('a job is counted when its last check is used up, and not before', async () => {
  const { id, code } = await send();
  for (let n = 1; n <= 4; n++) expect(await countFinishedBy(() => check(id, wrong(code)))).toEqual({});
  expect(await countFinishedBy(() => check(id, wrong(code)))).toEqual({ 'otp-send cancelled': 1 });
});

test('a job that the reconciler ends is counted as what it became', async () => {
  const { jobId } = await send();
  await world.pool.query(`update job set deadline_at = now() - interval '1 hour' where id = $1`, [jobId]);
  expect(await countFinishedBy(() => world.reconciler.expire(new Date()))).toEqual({ 'otp-send expired': 1 });
});

test('a job that staff cancel is counted', async () => {
  const { jobId } = await send();
  const by = { id: randomUUID(), email: 'staff@navbat.example', role: 'operator' } as const;
  await world.pool.query(
    `insert into staff (id, email, role, password_hash, created_at) values ($1, $2, $3, 'none', now())`,
    [by.id, by.email, by.role],
  );
  const quiet = async () => undefined;
  const desk = { reissue: quiet, promote: quiet, remove: quiet, pause: quiet, resume: quiet };
  const commands = opsCommands(world.pool, { jobs, settles }, desk, () => undefined);
  const cancel = () => commands.job('cancel', jobId, by, new Date());
  expect(await countFinishedBy(cancel)).toEqual({ 'otp-send cancelled': 1 });
  expect(await countFinishedBy(cancel)).toEqual({});
});
