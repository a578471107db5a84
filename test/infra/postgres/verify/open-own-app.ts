import { generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import canonicalize from 'canonicalize';
import { afterAll } from 'vitest';
import { type Challenge, ChallengeId } from '../../../../domain/identity/approval/challenge.ts';
import { DeviceId } from '../../../../domain/identity/device/device.ts';
import { PersonId } from '../../../../domain/identity/person/person.ts';
import type { JobId } from '../../../../domain/shared/ids.ts';
import { ownApp } from '../../../../infra/postgres/verify/own-app.ts';
import { openWorld, orderFor, type World } from './world.ts';

export const now = () => new Date();

/** A project that asks people in Navbat's own app, in a world of this file's own. */
export async function openOwnApp() {
  const world = await openWorld();
  afterAll(() => world.close());
  const caller = await world.makeProject();
  let phones = 0;
  const openFor = (jobId: JobId) =>
    ownApp(world.pool, now).send(
      { jobId } as Parameters<ReturnType<typeof ownApp>['send']>[0],
      AbortSignal.timeout(5_000),
    );
  /** A send by push, and its challenge, as the worker opens it. */
  const ask = async (phone: string) => {
    const answer = await world.intake.accept(orderFor(caller, phone, { channels: ['push'] }));
    if (answer.kind !== 'accepted') throw new Error(answer.kind);
    await openFor(answer.jobId);
    const { rows } = await world.pool.query<{ id: string }>('select id from challenge where job_id = $1', [
      answer.jobId,
    ]);
    return { number: answer.number ?? '', jobId: answer.jobId, id: ChallengeId.parse(rows[0]?.id) };
  };
  return {
    world,
    openFor,
    ask,
    newPhone: () => `+99890666${1_000 + phones++}`,
    makePerson: (phone: string) => makePerson(world, phone),
  };
}

/** Somebody with this phone and a device that signs. */
async function makePerson(world: World, phone: string) {
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
