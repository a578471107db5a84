import { randomBytes, randomUUID } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import { registrationBinds, removalBinds } from '../../../domain/staff/passkey.ts';
import { canonicalBinds, type ProofBinds } from '../../../domain/staff/proof.ts';
import { Environment } from '../../../infra/process/config-schema.ts';
import { rowEncryption } from '../../../infra/process/crypto.ts';
import { attestationHash, type SoftwarePasskey, softwarePasskey } from '../../support/passkey.ts';
import type { Approvable, Fixture } from './fixture.ts';
import { makeStaff } from './roles.ts';
import { type Owner, sha256, type World } from './world.ts';

const originOf = ({ env }: World): string => `http://localhost:${env['BOARD_PORT']}`;

/** A counter would change what is attested from answer to answer. */
export const newKey = (world: World): SoftwarePasskey =>
  softwarePasskey(originOf(world), 'ES256', { counts: false });

/** @returns the secret of the authenticator app. */
export async function bindTotp({ db, env }: World, staffId: string): Promise<Buffer> {
  const secret = Buffer.from(randomUUID().slice(0, 20));
  const ring = Environment.shape.ENCRYPTION_KEYS.parse(env['ENCRYPTION_KEYS']);
  await db.query(
    `update staff set totp_encrypted = $2, totp_last_step = 0, totp_bound_at = now() - interval '2 days' where id = $1`,
    [staffId, rowEncryption(ring).encrypt(secret.toString('base64url'), staffId)],
  );
  return secret;
}

/** A passkey that is registered already. */
export async function insertPasskey(
  { db }: World,
  staffId: string,
  { id: credentialId, publicKey }: SoftwarePasskey,
  name = 'a key',
): Promise<string> {
  const id = uuidv7();
  await db.query(
    `insert into staff_passkey (id, staff_id, credential_id, public_key, counter, transports, name, created_at)
     values ($1, $2, $3, $4, 0, '{}', $5, now() - interval '2 days')`,
    [id, staffId, Buffer.from(credentialId, 'base64url'), publicKey, name],
  );
  return id;
}

/** As if the board had asked. */
async function insertChallenge(
  { db }: World,
  staffId: string,
  purpose: 'register' | 'login',
): Promise<string> {
  const challenge = sha256(uuidv7());
  await db.query(
    `insert into staff_challenge (challenge, staff_id, purpose, expires_at) values ($1, $2, $3, navbat_now() + interval '5 minutes')`,
    [challenge, staffId, purpose],
  );
  return challenge.toString('base64url');
}

/** Of the key that proves: any other of theirs may be removed by another request of the walk, at the same time. */
const PROVES = 'proves';

/** A proof by a passkey, which no table can tell from one that was signed. A code needs an app, which some of them must not have. */
async function insertProof(world: World, staffId: string, binds: ProofBinds): Promise<string> {
  const [id, text] = [uuidv7(), canonicalBinds(binds)];
  const { rows } = await world.db.query<{ id: string }>(
    'select id from staff_passkey where staff_id = $1 and name = $2 limit 1',
    [staffId, PROVES],
  );
  // Nobody has more than ten.
  const passkeyId = rows[0]?.id ?? (await insertPasskey(world, staffId, newKey(world), PROVES));
  await world.db.query(
    `insert into staff_proof (id, staff_id, by, passkey_id, nonce, assertion, factor_at, binds, binds_hash)
     values ($1, $2, 'passkey', $3, $4, '{}', now() - interval '2 days', $5, $6)`,
    [id, staffId, passkeyId, randomBytes(32), text, sha256(text)],
  );
  return id;
}

/** To register a key that was attested, and not registered yet. */
async function registration(world: World, staffId: string): Promise<Approvable> {
  const key = newKey(world);
  const attested = () => key.register({ challenge: '' });
  return {
    binds: registrationBinds(staffId, attestationHash(attested())),
    ask: async (proofId) => ({
      path: '/staff/passkeys',
      body: {
        name: 'a key',
        registration: key.register({ challenge: await insertChallenge(world, staffId, 'register') }),
        ...(proofId && { proof_id: proofId }),
      },
    }),
  };
}

async function removal(world: World, staffId: string): Promise<Approvable> {
  const id = await insertPasskey(world, staffId, newKey(world));
  return removalOf(id);
}

const removalOf = (id: string): Approvable => ({
  binds: removalBinds({ id, version: 1 }),
  ask: (proofId) => ({ path: `/staff/passkeys/${id}/remove`, body: proofId ? { proof_id: proofId } : {} }),
});

/** Who has no session of staff has none of their rows either; another member stands for them. */
const staffOf = async (world: World, { staffId }: Owner) => staffId ?? (await makeStaff(world, 'viewer'));
const passkey = async (world: World, owner: Owner) =>
  insertPasskey(world, await staffOf(world, owner), newKey(world));

/** Shows the proof that the route asks for. */
async function proven(world: World, owner: Owner, { binds, ask }: Approvable) {
  return ask(await insertProof(world, await staffOf(world, owner), binds));
}

const someBinds: ProofBinds = { action: 'board.read', subject: 'any', version: 0 };
/** Whose code is wrong: that it was looked at is all that matters. */
const wrongCode = { answers: [403], says: 'second-factor-refused' } as const;

export const proofFixtures: Readonly<Record<string, Fixture>> = {
  'POST /staff/sessions/second-factor/options': {
    ask: async (_id, world, owner) => {
      await passkey(world, owner);
      return { path: '/staff/sessions/second-factor/options' };
    },
  },
  'POST /staff/proofs/options': {
    ask: async (_id, world, owner) => {
      await passkey(world, owner);
      return { path: '/staff/proofs/options', body: { binds: someBinds } };
    },
  },
  'POST /staff/proofs': {
    ask: () => ({ path: '/staff/proofs', body: { code: '000000', binds: someBinds } }),
    ...wrongCode,
  },
  'POST /staff/passkeys/options': { ask: () => ({ path: '/staff/passkeys/options' }) },
  'POST /staff/passkeys': {
    ask: async (_id, world, owner) =>
      proven(world, owner, await registration(world, await staffOf(world, owner))),
    proof: registration,
  },
  'GET /staff/passkeys': { make: passkey, lists: true, ask: () => ({ path: '/staff/passkeys?limit=100' }) },
  'PATCH /staff/passkeys/:id': {
    make: passkey,
    ask: (id) => ({ path: `/staff/passkeys/${id}`, body: { name: 'another name' } }),
  },
  'POST /staff/passkeys/:id/remove': {
    make: passkey,
    ask: (id, world, owner) => proven(world, owner, removalOf(id)),
    proof: removal,
  },
};
