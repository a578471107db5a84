import { generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import canonicalize from 'canonicalize';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Challenge, ChallengeId } from '../../../../domain/identity/approval/challenge.ts';
import { DeviceId } from '../../../../domain/identity/device/device.ts';
import { PersonId } from '../../../../domain/identity/person/person.ts';
import type { JobId } from '../../../../domain/shared/ids.ts';
import type { SendOrder } from '../../../../domain/verify/intake.ts';
import { ownApp } from '../../../../infra/postgres/verify/own-app.ts';
import { openWorld, orderFor, type World } from './world.ts';

let world: World;
let caller: SendOrder['caller'];
let phones = 0;
beforeAll(async () => {
  world = await openWorld();
  caller = await world.makeProject();
});
afterAll(() => world.close());

const now = () => new Date();

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

test('an attempt that is made again finds the challenge of its send, and rings nobody twice', async () => {
  const phone = newPhone();
  const { personId } = await makePerson(phone);
  const { jobId, id } = await ask(phone);
  expect(await openFor(jobId)).toEqual({ kind: 'accepted', reference: id, cost: null });
  const { rows } = await world.pool.query('select subject_id from person_notice where person_id = $1', [
    personId,
  ]);
  expect(rows).toEqual([{ subject_id: id }]);
});

test('the same row and the same answer, whether somebody is there or not', async () => {
  const [theirs, nobodys] = [newPhone(), newPhone()];
  await makePerson(theirs);
  const asked = [await ask(theirs), await ask(nobodys)];
  const replies = await Promise.all(asked.map(({ jobId }) => openFor(jobId)));
  expect(replies).toEqual(asked.map(({ id }) => ({ kind: 'accepted', reference: id, cost: null })));
});
