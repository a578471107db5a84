import { generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import canonicalize from 'canonicalize';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Challenge, ChallengeId } from '../../../../domain/identity/approval/challenge.ts';
import { DeviceId } from '../../../../domain/identity/device/device.ts';
import { PersonId } from '../../../../domain/identity/person/person.ts';
import type { JobId } from '../../../../domain/shared/ids.ts';
import type { SendOrder } from '../../../../domain/verify/intake.ts';
import { approvalSignatureHolds } from '../../../../infra/identity/device/approval-signature.ts';
import { challenges } from '../../../../infra/postgres/verify/challenges.ts';
import { notices } from '../../../../infra/postgres/identity/approval/notices.ts';
import { ownApp } from '../../../../infra/postgres/verify/own-app.ts';
import { deadlocksOf, openWorld, orderFor, type World } from './world.ts';

let world: World;
let caller: SendOrder['caller'];
let phones = 0;
beforeAll(async () => {
  world = await openWorld();
  caller = await world.makeProject();
});
afterAll(() => world.close());

const now = () => new Date();
const store = () =>
  challenges({
    pool: world.pool,
    hash: world.hash,
    numberOf: world.numberOf,
    signatureHolds: approvalSignatureHolds,
    deliveries: world.deliveries,
    wake: () => undefined,
  });

/** Somebody with this phone and a device that signs. */
async function makePerson(phone: string) {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const [personId, deviceId] = [PersonId.parse(randomUUID()), DeviceId.parse(randomUUID())];
  await world.pool.query('insert into person (id, created_at) values ($1, now())', [personId]);
  await world.pool.query(
    `insert into person_phone (address_hash, person_id, phone, proof, proven_at) values ($1, $2, $3, 'code', now())`,
    [world.hash('address', phone), personId, phone],
  );
  await world.pool.query(
    `insert into device (id, person_id, kind, name, public_key, totp_encrypted, created_at, bound_at)
     values ($1, $2, 'app', 'x', $3, '', now(), now())`,
    [deviceId, personId, publicKey.export({ format: 'jwk' })],
  );
  const approve = ({ id, project, purpose, context, expiresAt }: Challenge, number: string) => {
    const statement = canonicalize({
      challenge: id,
      project,
      purpose,
      context,
      decision: 'approve',
      number,
      expires_at: expiresAt.toISOString(),
    });
    const signature = sign(null, Buffer.from(`navbat-approval-v1\n${statement}`), privateKey);
    return { decision: 'approve', number, signature: signature.toString('base64url') } as const;
  };
  return { personId, deviceId, approve };
}

/** A send by push, and its challenge, as the worker opens it. */
async function ask(phone: string) {
  const answer = await world.intake.accept(orderFor(caller, phone, { channels: ['push'] }));
  if (answer.kind !== 'accepted') throw new Error(answer.kind);
  await openFor(answer.jobId);
  const { rows } = await world.pool.query<{ id: string }>('select id from challenge where job_id = $1', [
    answer.jobId,
  ]);
  return { number: answer.number ?? '', jobId: answer.jobId, id: ChallengeId.parse(rows[0]?.id) };
}

const openFor = (jobId: JobId) =>
  ownApp(world.pool, now).send(
    { jobId } as Parameters<ReturnType<typeof ownApp>['send']>[0],
    AbortSignal.timeout(5_000),
  );

const newPhone = () => `+99890666${1_000 + phones++}`;

test('an answer and an announcement to the same person wait for each other in a line, and never in a circle', async () => {
  const phone = newPhone();
  const { personId, deviceId, approve } = await makePerson(phone);
  const { number, id } = await ask(phone);
  const asked = await store().fetch(personId, id, now());
  if (!asked) throw new Error('no such challenge');
  const before = await deadlocksOf(world);
  let answering: Promise<unknown> = Promise.resolve();
  await notices(world.pool).takeDue(50, now(), async (due) => {
    // The announcer holds the person now, and is about to write on the challenge.
    answering = store().answer({ personId, deviceId }, id, approve(asked, number), now());
    await waitUntilHeldUp();
    return due.map((notice) => ({ id: notice.id, pushed: 'sent' }));
  });
  expect(await answering).toEqual({ outcome: 'approved', repeated: false });
  expect(await deadlocksOf(world)).toBe(before);
});

test('whoever lost the phone meanwhile is asked nothing, and answers nothing, on a device that still signs', async () => {
  const phone = newPhone();
  const { personId, deviceId, approve } = await makePerson(phone);
  const { number, id } = await ask(phone);
  const asked = await store().fetch(personId, id, now());
  if (!asked) throw new Error('no such challenge');
  const { personId: nextHolder } = await makePerson(newPhone());
  await world.pool.query('update person_phone set person_id = $1 where phone = $2', [nextHolder, phone]);
  expect(await store().fetch(personId, id, now())).toBeNull();
  expect((await store().list(personId, { limit: 10, after: null }, now())).rows).toEqual([]);
  expect(await store().answer({ personId, deviceId }, id, approve(asked, number), now())).toEqual({
    outcome: 'unknown',
  });
});

/** Until a statement waits for a lock. */
async function waitUntilHeldUp(): Promise<void> {
  for (let looks = 0; looks < 100; looks++) {
    const { rows } = await world.pool.query(
      `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    );
    if (rows.length > 0) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('nothing waited for a lock');
}
