import { randomBytes } from 'node:crypto';
import { importJWK, type JWK, SignJWT } from 'jose';
import { v7 as uuidv7 } from 'uuid';
import { DeviceId } from '../../../domain/identity/device/device.ts';
import { PersonId } from '../../../domain/identity/person/person.ts';
import { PLATFORM_PROJECT_ID } from '../../../domain/project/platform.ts';
import { readConfig } from '../../../infra/process/config.ts';
import { rowEncryption } from '../../../infra/process/crypto.ts';
import { deviceSecrets } from '../../../infra/identity/device/secrets.ts';
import { enrolments } from '../../../infra/postgres/identity/device/enrolments.ts';
import { type TestPhone, testPhone } from '../../support/phone.ts';
import { makeVerification, recipientOf } from './objects.ts';
import { makePerson, type Owner, type World } from './world.ts';

/** What people have over all projects, made one for each request that asks for it. */

/** The phones behind the devices that were made here. */
const phones = new Map<string, TestPhone>();

function phoneOf(deviceId: string): TestPhone | null {
  return phones.get(deviceId) ?? null;
}

/** A device's secret, encrypted as the api encrypts it. */
const encrypted = ({ env }: World, id: string): Buffer =>
  deviceSecrets(rowEncryption(readConfig(env).ENCRYPTION_KEYS)).encrypt(randomBytes(20), DeviceId.parse(id));

/** Bound a week ago. */
export async function makeDevice(world: World, { personId }: Owner): Promise<string> {
  const [id, phone] = [uuidv7(), testPhone(world.apiUrl)];
  await world.db.query(
    `insert into device (id, person_id, kind, name, public_key, totp_encrypted, totp_last_step, created_at, bound_at)
     values ($1, $2, 'app', 'phone', $3, $4, 0, now() - interval '7 days', now() - interval '7 days')`,
    [id, personId, phone.publicKey, encrypted(world, id)],
  );
  phones.set(id, phone);
  return id;
}

/** An authenticator that waits for its first code. */
export async function makeAuthenticator(world: World, { personId }: Owner): Promise<string> {
  const id = uuidv7();
  await world.db.query(
    `insert into device (id, person_id, kind, name, totp_encrypted, confirm_until, created_at)
     values ($1, $2, 'authenticator', 'app', $3, now() + interval '5 min', now())`,
    [id, personId, encrypted(world, id)],
  );
  return id;
}

/** The token of a QR code, for a person who has no device yet. */
export async function makeEnrolment(world: World): Promise<string> {
  const personId = PersonId.parse(await makePerson(world, 'live'));
  return (await enrolments(world.db).open({ personId }, new Date())).token;
}

/** Read once a world: thousands of sessions are signed with it. */
const signingKeys = new WeakMap<World, ReturnType<typeof readSigningKey>>();
async function readSigningKey({ env }: World) {
  const jwk = JSON.parse(env['JWT_PRIVATE_JWK'] ?? '') as JWK & { kid: string };
  return { kid: jwk.kid, key: await importJWK(jwk, 'EdDSA') };
}
function signingKeyOf(world: World) {
  const key = signingKeys.get(world) ?? readSigningKey(world);
  signingKeys.set(world, key);
  return key;
}

/** A row, and a token signed here and not by what is tested. `minutes` ago the person proved themselves. */
export async function openSession(
  world: World,
  owner: Owner,
  minutes = 0,
): Promise<{ id: string; token: string }> {
  const [id, recipientId] = [uuidv7(), await recipientOf(world, owner)];
  const { personId, projectId, mode, deviceId = null } = owner;
  await world.db.query(
    `insert into session (id, person_id, project_id, mode, recipient_id, device_id, method, refreshed_at, authenticated_at,
       created_at, expires_at)
     values ($1, $2, $3, $4, $5, $6, $7, now(), now() - make_interval(mins => $8), now(), now() + interval '1 hour')`,
    [id, personId, projectId, mode, recipientId, deviceId, deviceId ? 'device' : 'code', minutes],
  );
  const { kid, key } = await signingKeyOf(world);
  const token = await new SignJWT({ sid: id })
    .setProtectedHeader({ alg: 'EdDSA', kid, typ: 'JWT' })
    .setIssuer('navbat')
    .setAudience(mode === 'test' ? `test:${projectId}` : projectId)
    .setSubject(recipientId)
    .setIssuedAt()
    .setExpirationTime('10m')
    .sign(key);
  return { id, token };
}

export const inApp = (owner: Owner): Owner => ({ ...owner, projectId: PLATFORM_PROJECT_ID });

/** What a device says when it signs in; null where it is none of ours. */
export function signInClaim(deviceId: string) {
  const said = { at: new Date().toISOString(), nonce: randomBytes(18).toString('base64url') };
  const signature = (phoneOf(deviceId) ?? testPhone('')).sign('navbat-sign-in-v1', {
    device: deviceId,
    ...said,
  });
  return { device_id: deviceId, ...said, signature };
}

/** The refresh token of a device that has just signed in. */
export async function makeRefreshToken(world: World): Promise<string> {
  const owner = inApp({ projectId: '', mode: 'live', personId: await makePerson(world, 'live') });
  const phone = testPhone(world.apiUrl);
  const reply = await phone.fetch('POST', '/auth/device', signInClaim(await makeDevice(world, owner)));
  return String(reply.body.refresh_token);
}

const challenged = new Map<string, Owner>();

/** The person is asked to approve a code that lives. */
export async function makeChallenge(world: World, owner: Owner): Promise<string> {
  const id = uuidv7();
  const verification = await makeVerification(world, owner);
  await world.db.query(
    `insert into challenge (id, job_id, verification_id, project_id, person_id, created_at, expires_at)
     values ($1, $2, $3, $4, $5, now(), now() + interval '5 min')`,
    [id, verification.jobId, verification.id, owner.projectId, owner.personId],
  );
  challenged.set(id, owner);
  return id;
}

/** A denial of exactly what is asked, signed by the device that says it, whoever was asked. */
export async function denial(id: string, world: World, { deviceId = '' }: Owner): Promise<object> {
  const phone = phoneOf(deviceId) ?? testPhone(world.apiUrl);
  const owner = challenged.get(id);
  const asked = owner ? await readChallenge(world, id, owner) : null;
  const { project, purpose, context, expires_at } = asked ?? {};
  const said = { decision: 'deny', number: null };
  const statement = { challenge: id, project, purpose, context, ...said, expires_at };
  return { decision: 'deny', signature: phone.sign('navbat-approval-v1', statement) };
}

async function readChallenge(world: World, id: string, owner: Owner): Promise<Record<string, unknown>> {
  const deviceId = owner.deviceId ?? (await makeDevice(world, owner));
  const { token } = await openSession(world, inApp({ ...owner, deviceId }));
  const reply = await testPhone(world.apiUrl).fetch('GET', `/me/challenges/${id}`, undefined, {
    Authorization: `Bearer ${token}`,
  });
  return reply.body as Record<string, unknown>;
}
