import { randomBytes } from 'node:crypto';
import { APPROVAL_PURPOSE } from '../../../domain/verify/strangers.ts';
import { proofTokens } from '../../../infra/process/proof-token.ts';
import { SIGN_IN_PURPOSE } from '../../../domain/identity/session/sign-in.ts';
import { testPhone } from '../../support/phone.ts';
import { type Fixture, noId } from './fixture.ts';
import { makeRecipient, makeVerification } from './objects.ts';
import {
  denial,
  inApp,
  makeAuthenticator,
  makeChallenge,
  makeDevice,
  makeEnrolment,
  makeRefreshToken,
  openSession,
  signInClaim,
} from './person-objects.ts';
import { newPhone, type Owner, signedByTelegram, type World } from './world.ts';

/** One for each route of people and their devices. */

const session = async (world: World, owner: Owner) => (await openSession(world, owner)).id;
const signInCode = async (world: World, owner: Owner) => {
  const { id } = await makeVerification(world, owner, SIGN_IN_PURPOSE);
  await world.db.query(`update verification set asked_by = 'stranger' where id = $1`, [id]);
  return id;
};
const approval = async (world: World, owner: Owner) =>
  (await makeVerification(world, owner, APPROVAL_PURPOSE)).id;
/** Of the verification's latest send; of no send, where there is none. */
async function pollToken({ db, hash }: World, id: string): Promise<string> {
  const { rows } = await db.query<{ job_id: string }>('select job_id from verification where id = $1', [id]);
  return proofTokens(hash, 'poll-token').of(rows[0]?.job_id ?? noId());
}
/** The device that asks, or another's. */
const thisDevice = async (world: World, owner: Owner) => owner.deviceId ?? makeDevice(world, owner);

const telegram = (path: string): Fixture => ({
  ask: (_id, world) => ({ path, body: Object.fromEntries(new URLSearchParams(signedByTelegram(world))) }),
});

const signIn: Readonly<Record<string, Fixture>> = {
  'POST /auth/telegram': telegram('/auth/telegram'),
  'POST /api/auth/telegram': telegram('/api/auth/telegram'),
  'POST /auth/code': { ask: () => ({ path: '/auth/code', body: { phone: newPhone() } }) },
  'POST /auth/code/verify': {
    make: signInCode,
    // With the very token that its asker got.
    ask: (id, { hash }) => ({
      path: '/auth/code/verify',
      body: { id, code: '000000', check_token: proofTokens(hash, 'check-token').of(id) },
    }),
    answers: [422],
  },
  'POST /auth/approval': {
    make: makeRecipient,
    ask: (id) => ({ path: '/auth/approval', body: { to: id } }),
  },
  // With the very token that its project got.
  'POST /auth/approval/token': {
    make: approval,
    ask: async (id, world) => ({
      path: '/auth/approval/token',
      body: { id, poll_token: await pollToken(world, id) },
    }),
    answers: [202],
  },
  'POST /auth/device': {
    make: makeDevice,
    ask: (id) => ({ path: '/auth/device', body: signInClaim(id) }),
    lacks: 401,
  },
  'POST /auth/refresh': {
    make: makeRefreshToken,
    ask: (token) => ({ path: '/auth/refresh', body: { refresh_token: token } }),
    nothing: () => randomBytes(48).toString('base64url'),
    lacks: 401,
  },
  'POST /auth/sign-out': { ask: () => ({ path: '/auth/sign-out' }) },
  'GET /auth/sessions': { make: session, lists: true, ask: () => ({ path: '/auth/sessions?limit=100' }) },
  'DELETE /auth/sessions/:id': { make: session, ask: (id) => ({ path: `/auth/sessions/${id}` }) },
  'GET /.well-known/jwks.json': { ask: () => ({ path: '/.well-known/jwks.json' }) },
};

/** Proofs of phones that have claimed a token, by the device that waits for them. */
const proofs = new Map<string, object>();

async function makeClaim(world: World): Promise<string> {
  const phone = testPhone(world.apiUrl);
  const { id, nonce } = (await phone.claim({ token: await makeEnrolment(world) })).body as Record<
    string,
    string
  >;
  const statement = { device: id, nonce, public_key: phone.thumbprint };
  proofs.set(id ?? '', { signature: phone.sign('navbat-device-v1', statement), totp: await phone.totp() });
  return id ?? '';
}
const noProof = () => ({ signature: randomBytes(64).toString('base64url'), totp: '000000' });

/** A new secret on its way to the device, which a wrong code does not take into use. */
async function offerSecret(world: World, owner: Owner): Promise<string> {
  const deviceId = await thisDevice(world, owner);
  const { token } = await openSession(world, inApp({ ...owner, deviceId }));
  await testPhone(world.apiUrl).fetch(
    'POST',
    `/me/devices/${deviceId}/rotate`,
    {},
    { Authorization: `Bearer ${token}` },
  );
  return deviceId;
}

const devices: Readonly<Record<string, Fixture>> = {
  'POST /enrolments': {
    make: makeRecipient,
    ask: (id) => ({ path: '/enrolments', body: { recipient: id } }),
  },
  'POST /me/enrolments': { ask: () => ({ path: '/me/enrolments', body: {} }) },
  'POST /devices': {
    make: makeEnrolment,
    ask: (token) => ({
      path: '/devices',
      body: { token, name: 'phone', public_key: testPhone('').publicKey },
    }),
    nothing: () => randomBytes(32).toString('base64url'),
    lacks: 410,
  },
  'POST /devices/:id/confirm': {
    make: makeClaim,
    ask: (id) => ({ path: `/devices/${id}/confirm`, body: proofs.get(id) ?? noProof() }),
  },
  // 409: the devices made here are more than a person may have.
  'POST /me/authenticators': {
    ask: () => ({ path: '/me/authenticators', body: { name: 'app' } }),
    answers: [201, 409],
  },
  'POST /me/authenticators/:id/confirm': {
    make: makeAuthenticator,
    ask: (id) => ({ path: `/me/authenticators/${id}/confirm`, body: { totp: '000000' } }),
    answers: [422],
  },
  'GET /me/devices': { make: makeDevice, lists: true, ask: () => ({ path: '/me/devices?limit=100' }) },
  'PATCH /me/devices/:id': {
    make: makeDevice,
    ask: (id) => ({ path: `/me/devices/${id}`, body: { name: 'renamed' } }),
  },
  'DELETE /me/devices/:id': { make: makeDevice, ask: (id) => ({ path: `/me/devices/${id}` }) },
  'POST /me/devices/:id/rotate': {
    make: thisDevice,
    ask: (id) => ({ path: `/me/devices/${id}/rotate`, body: {} }),
  },
  'POST /me/devices/:id/rotate/confirm': {
    make: offerSecret,
    ask: (id) => ({ path: `/me/devices/${id}/rotate/confirm`, body: { totp: '000000' } }),
    answers: [422],
  },
};

const approvals: Readonly<Record<string, Fixture>> = {
  'GET /me/challenges': {
    make: makeChallenge,
    lists: true,
    ask: () => ({ path: '/me/challenges?limit=100' }),
  },
  'GET /me/challenges/:id': { make: makeChallenge, ask: (id) => ({ path: `/me/challenges/${id}` }) },
  'POST /me/challenges/:id/answer': {
    make: makeChallenge,
    ask: async (id, world, owner) => ({
      path: `/me/challenges/${id}/answer`,
      body: await denial(id, world, owner),
    }),
  },
  'POST /me/unlock': { ask: () => ({ path: '/me/unlock', body: {} }) },
};

export const personFixtures: Readonly<Record<string, Fixture>> = { ...signIn, ...devices, ...approvals };
