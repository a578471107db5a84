import { randomBytes, randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { asProblem } from '../../../../apps/http/answer.ts';
import { DeviceId } from '../../../../domain/identity/device/device.ts';
import { TOTP_FAILURES_MAX, totpCode, totpStep } from '../../../../domain/shared/totp.ts';
import { PersonId } from '../../../../domain/identity/person/person.ts';
import type { Channel } from '../../../../domain/verify/channel.ts';
import { FAILED_CHECKS_IN_A_ROW_MAX, LOCK_SECONDS } from '../../../../domain/verify/check.ts';
import { deviceSecrets } from '../../../../infra/identity/device/secrets.ts';
import { destinations, liftLocks } from '../../../../infra/postgres/verify/destinations.ts';
import { openWorld, orderFor, sendCode, type World } from './world.ts';

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
  world.checks.check({ projectId: caller.projectId, mode: 'live', of: { id, purpose, by: 'service' }, code });

test('a check that names a purpose meets no code of another, and costs it no check', async () => {
  const { id, code } = await sendCode(world, orderFor(caller, freshPhone(), { purpose: 'login' }));
  expect(await checkId(id, code, 'withdraw')).toEqual({ kind: 'unknown' });
  expect(await checkId(id, wrong(code), 'login')).toEqual({ kind: 'incorrect', remaining: 4 });
  expect(await checkId(id, code, 'login')).toMatchObject({ kind: 'approved' });
});

/** Wrong codes of a code that lives, the last one as it is typed. */
async function failAHundred(phone: string) {
  const { id, code } = await sendCode(world, orderFor(caller, phone, { purpose: 'guessed' }));
  await world.pool.query('update destination set failed_checks = $2 where address_hash = $1', [
    world.hash('address', phone),
    FAILED_CHECKS_IN_A_ROW_MAX - 1,
  ]);
  expect(await checkId(id, wrong(code))).toMatchObject({ kind: 'incorrect' });
}

const destinationOf = async (phone: string) =>
  (
    await world.pool.query(
      'select failed_checks, locked_at is not null locked from destination where address_hash = $1 and project_id = $2',
      [world.hash('address', phone), caller.projectId],
    )
  ).rows;

describe('where nothing lives, a wrong code counts nothing against the number', () => {
  test('of a number that was never sent one, no row is left behind, also after more than lock one', async () => {
    const phone = freshPhone();
    for (let check = 0; check <= FAILED_CHECKS_IN_A_ROW_MAX; check++)
      expect(await checkTo(phone, '123456')).toEqual({ kind: 'incorrect', remaining: null });
    expect(await destinationOf(phone)).toEqual([]);
    expect(await world.intake.accept(orderFor(caller, phone))).toMatchObject({ kind: 'accepted' });
  });

  test('of a code that was used, cancelled, spent or is over, by its id and by `to`', async () => {
    const ends = [
      async (id: string, code: string) => void (await checkId(id, code)),
      async (id: string) => void (await world.verifications.cancel(caller.projectId, 'live', id)),
      async (id: string, code: string) => {
        for (let check = 0; check < 5; check++) await checkId(id, wrong(code));
        await world.pool.query('update destination set failed_checks = 0');
      },
      (id: string) =>
        world.pool.query(`update verification set expires_at = now() - interval '1 ms' where id = $1`, [id]),
    ];
    for (const end of ends) {
      const phone = freshPhone();
      const { id, code } = await sendCode(world, orderFor(caller, phone, { checkByTo: true }));
      await end(id, code);
      for (const check of [() => checkId(id, wrong(code)), () => checkTo(phone, wrong(code))])
        for (let tries = 0; tries < 3; tries++) await check();
      expect(await destinationOf(phone)).toEqual([{ failed_checks: 0, locked: false }]);
    }
  });

  test('of a code that may not be checked by `to`', async () => {
    const phone = freshPhone();
    await sendCode(world, orderFor(caller, phone));
    await checkTo(phone, '123456');
    expect(await destinationOf(phone)).toEqual([{ failed_checks: 0, locked: false }]);
  });
});

describe('Idempotency-Key', () => {
  test('a refusal because the recipient is locked keeps no key', async () => {
    const phone = freshPhone();
    await failAHundred(phone);
    expect(await world.intake.accept(orderFor(caller, phone, {}, 'locked'))).toMatchObject({
      reason: 'destination-locked',
    });
    await world.pool.query(
      'update destination set locked_at = null, failed_checks = 0 where address_hash = $1',
      [world.hash('address', phone)],
    );
    expect(await world.intake.accept(orderFor(caller, phone, {}, 'locked'))).toMatchObject({
      kind: 'accepted',
      replayed: false,
    });
  });
});

test('a lock lifts by itself after a day, and not before; then a hundred wrong codes are a hundred again', async () => {
  const phone = freshPhone();
  const { id, code } = await sendCode(world, orderFor(caller, phone));
  await failAHundred(phone);
  const lockedFor = (seconds: number) =>
    world.pool.query('update destination set locked_at = $2 where address_hash = $1', [
      world.hash('address', phone),
      new Date(Date.now() - seconds * 1_000),
    ]);
  await lockedFor(LOCK_SECONDS - 60);
  expect(await checkId(id, code)).toEqual({ kind: 'locked' });
  expect(await checkTo(phone, '123456')).toEqual({ kind: 'locked' });
  expect(await world.intake.accept(orderFor(caller, phone, { purpose: 'other' }))).toMatchObject({
    reason: 'destination-locked',
  });
  await lockedFor(LOCK_SECONDS);
  expect(await checkId(id, wrong(code))).toMatchObject({ kind: 'incorrect' });
  expect(await checkId(id, code)).toMatchObject({ kind: 'approved' });
  expect(await world.intake.accept(orderFor(caller, phone, { purpose: 'other' }))).toMatchObject({
    kind: 'accepted',
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
    status: 503,
    type: 'in-progress',
    headers: { 'Retry-After': '1' },
  });
});

test('a request whose key another one is still at work with is a conflict that ends by itself', async () => {
  const order = orderFor(caller, freshPhone(), {}, 'twice');
  const other = new pg.Client({ connectionString: world.url });
  await other.connect();
  await other.query('begin');
  await other.query(
    "insert into request (project_id, key, body_hash, answer, at) values ($1, $2, $3, '{}', now())",
    [caller.projectId, 'twice', Buffer.alloc(32)],
  );
  const refused = await world.intake.accept(order).catch((error: unknown) => error);
  await other.end();
  expect(asProblem(refused)).toMatchObject({
    status: 409,
    type: 'in-progress',
    headers: { 'Retry-After': '1' },
  });
});

describe('wrong codes of a device', () => {
  const pending = async () =>
    (await world.pool.query<{ pending: number }>('select sum(totp_pending)::int pending from destination'))
      .rows[0]?.pending;
  const bindDevices = async (phone: string, count: number) => {
    const personId = randomUUID();
    await world.pool.query('insert into person (id, created_at) values ($1, now())', [personId]);
    await world.pool.query(
      `insert into person_phone (address_hash, person_id, phone, proof, proven_at) values ($1, $2, $3, 'code', now())`,
      [world.hash('address', phone), personId, phone],
    );
    const secret = randomBytes(20);
    for (let made = 0; made < count; made++) {
      const id = DeviceId.parse(randomUUID());
      await world.pool.query(
        `insert into device (id, person_id, kind, name, totp_encrypted, created_at, bound_at)
         values ($1, $2, 'authenticator', 'test', $3, now(), now())`,
        [id, personId, deviceSecrets(world.rowEncryption).encrypt(secret, id)],
      );
    }
    const code = () => totpCode(secret, totpStep(new Date()));
    return { personId, code };
  };
  const silent = (phone: string, purpose: string, channels: Channel[] = ['totp']) =>
    sendCode(world, orderFor(caller, phone, { purpose, channels }));

  test('are told to each device by the reconciler, once', async () => {
    const phone = freshPhone();
    const { personId } = await bindDevices(phone, 2);
    const { id } = await silent(phone, 'told');
    for (const code of ['000000', '000001', '000002']) await checkId(id, code);
    const round = () => world.reconciler.retire(new Date(), { jobDays: 30, phoneDays: 7 });
    await round();
    await round();
    const { rows } = await world.pool.query('select totp_failures from device where person_id = $1', [
      personId,
    ]);
    expect(rows).toEqual([{ totp_failures: 3 }, { totp_failures: 3 }]);
    expect(await pending()).toBe(0);
  });

  test('close TOTP in that project after a thousand, until its person acts, and nothing else', async () => {
    const phone = freshPhone();
    const { personId, code } = await bindDevices(phone, 1);
    const fail = (failures: number) =>
      world.pool.query('update destination set totp_failures = $2 where address_hash = $1', [
        world.hash('address', phone),
        failures,
      ]);
    const both = await silent(phone, 'both', ['totp', 'sms']);
    const alone = await silent(phone, 'alone');
    await fail(TOTP_FAILURES_MAX);
    expect(await checkId(alone.id, code())).toEqual({ kind: 'locked' });
    expect(await checkId(both.id, code())).toEqual({ kind: 'incorrect', remaining: 4 });
    expect(await checkId(both.id, both.code)).toMatchObject({ kind: 'approved' });
    // In another project nobody has guessed.
    const other = await world.makeProject();
    const there = await sendCode(world, orderFor(other, phone, { channels: ['totp'] }));
    const typed = {
      projectId: other.projectId,
      mode: 'live',
      of: { id: there.id, purpose: null, by: 'service' },
    } as const;
    expect(await world.checks.check({ ...typed, code: code() })).toMatchObject({ kind: 'approved' });
    // The step was used up above.
    await world.pool.query('update device set totp_last_step = null where person_id = $1', [personId]);
    const [owner, device] = [PersonId.parse(personId), DeviceId.parse(randomUUID())];
    await knows(caller.projectId, personId);
    // What they approve in daily life forgives no guesser.
    expect(
      await liftLocks(world.pool, owner, { projectId: caller.projectId, deviceId: device }, new Date()),
    ).toBe(0);
    expect(await checkId(alone.id, code())).toEqual({ kind: 'locked' });
    expect(await destinations(world.pool).lift(owner, device, new Date())).toBe(1);
    expect(await checkId(alone.id, code())).toMatchObject({ kind: 'approved' });
  });

  test('one fewer than a thousand close nothing', async () => {
    const phone = freshPhone();
    const { code } = await bindDevices(phone, 1);
    const { id } = await silent(phone, 'nearly');
    await world.pool.query('update destination set totp_failures = $2 where address_hash = $1', [
      world.hash('address', phone),
      TOTP_FAILURES_MAX - 1,
    ]);
    expect(await checkId(id, code())).toMatchObject({ kind: 'approved' });
  });
});

/** They approved for it before. */
const knows = (projectId: string, personId: string) =>
  world.pool.query(
    `insert into recipient (id, project_id, handle, address_hash, person_id, created_at, updated_at)
     values ($1, $2, $5, $3, $4, now(), now())`,
    [randomUUID(), projectId, world.hash('address', randomUUID()), personId, `known ${personId}`],
  );
