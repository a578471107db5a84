import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { asProblem } from '../../../apps/http/answer.ts';
import { FAILED_CHECKS_IN_A_ROW_MAX, LOCK_SECONDS } from '../../../domain/otp/check.ts';
import { openWorld, orderFor, sendCode, type World } from './otp-world.ts';

let world: World;
let caller: Awaited<ReturnType<World['makeProject']>>;
let next = 0;
const freshPhone = () => `+99894${100 + next++}0000`;

beforeAll(async () => {
  world = await openWorld();
  caller = await world.makeProject({ sends_per_hour: 100 });
});
afterAll(() => world.close());

const wrong = (code: string) => String((Number(code) + 1) % 10 ** code.length).padStart(code.length, '0');
const checkTo = (phone: string, code: string) =>
  world.checks.check({
    projectId: caller.projectId,
    mode: 'live',
    of: { destination: { phone }, purpose: 'verify' },
    code,
  });
const checkId = (id: string, code: string, purpose: string | null = null) =>
  world.checks.check({ projectId: caller.projectId, mode: 'live', of: { id, purpose }, code });

test('a right check among five at once is approved, in whatever order they end', async () => {
  for (let round = 0; round < 15; round++) {
    const { id, code } = await sendCode(world, orderFor(caller, freshPhone()));
    const codes = [wrong(code), wrong(code), code, wrong(code), wrong(code)];
    const results = await Promise.all(codes.map((one) => checkId(id, one)));
    // A wrong one that comes after the approval is told that the code was used.
    expect(results[2]).toMatchObject({ result: 'approved' });
    expect(results.filter(({ result }) => result === 'approved')).toHaveLength(1);
  }
});

test('a check that names a purpose meets no code of another, and costs it no check', async () => {
  const { id, code } = await sendCode(world, orderFor(caller, freshPhone(), { purpose: 'login' }));
  expect(await checkId(id, code, 'withdraw')).toEqual({ result: 'unknown' });
  expect(await checkId(id, wrong(code), 'login')).toEqual({ result: 'incorrect', remaining: 4 });
  expect(await checkId(id, code, 'login')).toMatchObject({ result: 'approved' });
});

describe('Idempotency-Key', () => {
  test('a refusal because the recipient is locked keeps no key', async () => {
    const phone = freshPhone();
    for (let failure = 0; failure < FAILED_CHECKS_IN_A_ROW_MAX; failure++) await checkTo(phone, '123456');
    expect(await world.intake.accept(orderFor(caller, phone, {}, 'locked'))).toMatchObject({
      reason: 'destination-locked',
    });
    await world.pool.query(
      'update destination set locked_at = null, failed_checks = 0 where address_hash = $1',
      [world.hash('address', phone)],
    );
    expect(await world.intake.accept(orderFor(caller, phone, {}, 'locked'))).toMatchObject({
      answer: 'accepted',
      replayed: false,
    });
  });
});

test('a lock lifts by itself after a day, and not before; then a hundred wrong codes are a hundred again', async () => {
  const phone = freshPhone();
  const { id, code } = await sendCode(world, orderFor(caller, phone));
  for (let failure = 0; failure < FAILED_CHECKS_IN_A_ROW_MAX; failure++) await checkTo(phone, '123456');
  const lockedFor = (seconds: number) =>
    world.pool.query('update destination set locked_at = $2 where address_hash = $1', [
      world.hash('address', phone),
      new Date(Date.now() - seconds * 1_000),
    ]);
  await lockedFor(LOCK_SECONDS - 60);
  expect(await checkId(id, code)).toEqual({ result: 'locked' });
  expect(await checkTo(phone, '123456')).toEqual({ result: 'locked' });
  expect(await world.intake.accept(orderFor(caller, phone, { purpose: 'other' }))).toMatchObject({
    reason: 'destination-locked',
  });
  await lockedFor(LOCK_SECONDS);
  expect(await checkId(id, wrong(code))).toMatchObject({ result: 'incorrect' });
  expect(await checkId(id, code)).toMatchObject({ result: 'approved' });
  expect(await world.intake.accept(orderFor(caller, phone, { purpose: 'other' }))).toMatchObject({
    answer: 'accepted',
  });
});

test('a request whose row another one holds for too long is told to come again', async () => {
  const phone = freshPhone();
  await sendCode(world, orderFor(caller, phone));
  const other = new pg.Client({ connectionString: world.url });
  await other.connect();
  await other.query('begin');
  await other.query('select from destination where address_hash = $1 for update', [
    world.hash('address', phone),
  ]);
  const refused = await world.intake.accept(orderFor(caller, phone)).catch((error: unknown) => error);
  await other.end();
  expect(asProblem(refused)).toMatchObject({
    status: 409,
    type: 'in-progress',
    headers: { 'Retry-After': '1' },
  });
});
