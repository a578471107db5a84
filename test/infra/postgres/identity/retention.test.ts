import { generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import {
  SESSION_IDLE_SECONDS,
  type Sessions,
  type SignedIn,
} from '../../../../domain/identity/session/sessions.ts';
import type { ProjectId } from '../../../../domain/shared/ids.ts';
import type { Phone } from '../../../../domain/shared/phone.ts';
import { sessionTokens } from '../../../../infra/identity/access-tokens.ts';
import { keyedHash } from '../../../../infra/process/crypto.ts';
import { hotPool } from '../../../../infra/postgres/engine/hot-pool.ts';
import { persons } from '../../../../infra/postgres/identity/person/persons.ts';
import { sessions } from '../../../../infra/postgres/identity/session/sessions.ts';
import { reconcilerQueries } from '../../../../infra/postgres/job/reconciler.ts';
import { type FreshDatabase, freshDatabase } from '../../../support/servers.ts';
import { jobs } from '../../../../domain/jobs.ts';
import { settles } from '../../../../infra/postgres/settles.ts';
import { retentions } from '../../../../infra/postgres/retentions.ts';

const now = new Date('2026-01-15T10:00:00Z');
const later = (seconds: number, from = now) => new Date(from.getTime() + seconds * 1_000);
const jwk = {
  ...(generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }) as { x: string; d: string }),
  kty: 'OKP' as const,
  crv: 'Ed25519' as const,
  kid: 'j1',
};
const hash = keyedHash(randomBytes(32).toString('base64url'));

let database: FreshDatabase;
let pool: pg.Pool;
let store: Sessions;
let nextNumber = 0;

beforeAll(async () => {
  database = await freshDatabase();
  pool = hotPool(database.url, 20);
  store = sessions({ pool, hash, tokens: await sessionTokens(jwk) });
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

async function newProject(): Promise<ProjectId> {
  const id = randomUUID() as string as ProjectId;
  await pool.query('insert into project (id, slug, created_at) values ($1, $2, $3)', [id, `p-${id}`, now]);
  return id;
}

/** Somebody whom nobody has met before, at a project of their own unless one is named. */
async function newSignedIn(projectId?: ProjectId, personId?: SignedIn['personId']): Promise<SignedIn> {
  const people = persons(pool, hash);
  const phone = `+99890${String(1_000_000 + nextNumber++)}` as Phone;
  const who = personId ?? (await people.ofPhone(phone, 'live', now));
  const at = projectId ?? (await newProject());
  const recipientId = await people.recipientOf(who, at, 'live', now, { phone });
  const how = { mode: 'live', method: 'code', deviceId: null, userAgent: null } as const;
  return { personId: who, projectId: at, recipientId, ...how };
}

let signedIn: SignedIn;
beforeEach(async () => {
  signedIn = await newSignedIn();
});

const rowOf = async (id: string) => (await pool.query('select * from session where id = $1', [id])).rows[0];

test('retention keeps a session until it has run out for thirty days', async () => {
  const reconciler = reconcilerQueries(pool, { jobs, settles, retentions });
  const { sessionId } = await store.open(signedIn, now);
  const goneAt = SESSION_IDLE_SECONDS + 30 * 86_400;
  await reconciler.retire(later(goneAt), { jobDays: 30, phoneDays: 7 });
  expect(await rowOf(sessionId)).toBeTruthy();
  await reconciler.retire(later(goneAt + 1), { jobDays: 30, phoneDays: 7 });
  expect(await rowOf(sessionId)).toBeUndefined();
});
