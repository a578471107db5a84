import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DeviceId } from '../../../../../domain/identity/device/device.ts';
import { PersonId } from '../../../../../domain/identity/person/person.ts';
import { endSessions } from '../../../../../infra/postgres/identity/session/session-ends.ts';
import { openGround } from '../../world.ts';

let world: Awaited<ReturnType<typeof openGround>>;
beforeAll(async () => {
  world = await openGround();
});
afterAll(() => world.close());

const now = new Date('2026-01-15T10:00:00Z');

async function makePerson() {
  const personId = PersonId.parse(randomUUID());
  const deviceId = DeviceId.parse(randomUUID());
  await world.pool.query('insert into person (id, created_at) values ($1, $2)', [personId, now]);
  await world.pool.query(
    `insert into device (id, person_id, kind, name, totp_encrypted, created_at, bound_at) values ($1, $2, 'authenticator', 'x', '', $3, $3)`,
    [deviceId, personId, now],
  );
  return { personId, deviceId };
}

async function openSession({ personId, deviceId = null }: { personId: string; deviceId?: string | null }) {
  const [id, recipientId] = [randomUUID(), randomUUID()];
  const { projectId } = await world.makeProject();
  await world.pool.query(
    `insert into recipient (id, project_id, handle, address_hash, created_at, updated_at) values ($1, $2, $3, $4, $5, $5)`,
    [recipientId, projectId, id, Buffer.from(id), now],
  );
  await world.pool.query(
    `insert into session (id, person_id, project_id, mode, recipient_id, device_id, method, refreshed_at, authenticated_at, created_at, expires_at)
     values ($1, $2, $3, 'live', $4, $5, 'code', $6, $6, $6, $6::timestamptz + interval '1 day')`,
    [id, personId, projectId, recipientId, deviceId, now],
  );
  return id;
}
const endOf = async (id: string) =>
  (await world.pool.query('select revoked_because because from session where id = $1', [id])).rows[0]
    ?.because;

test('a device takes its own sessions along, in every project, and no other of its person', async () => {
  const person = await makePerson();
  const sessions = [await openSession(person), await openSession(person)];
  const beside = await openSession({ personId: person.personId });
  await endSessions(world.pool, { deviceId: person.deviceId }, 'device-revoked', now);
  expect(await Promise.all(sessions.map(endOf))).toEqual(['device-revoked', 'device-revoked']);
  expect(await endOf(beside)).toBeNull();
});

test('a person takes all of theirs along, nobody else’s, and what had ended keeps why', async () => {
  const [person, other] = [await makePerson(), await makePerson()];
  const [ended, open, others] = [
    await openSession(person),
    await openSession({ personId: person.personId }),
    await openSession(other),
  ];
  await endSessions(world.pool, { deviceId: person.deviceId }, 'device-revoked', now);
  await endSessions(world.pool, { personId: person.personId }, 'superseded', now);
  expect([await endOf(ended), await endOf(open), await endOf(others)]).toEqual([
    'device-revoked',
    'superseded',
    null,
  ]);
});
